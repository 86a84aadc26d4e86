# One target per job; CI runs the same ones.
GO ?= go
# Without the directory in the programs, every clone finds in the build cache what another one built,
# and so does a copy that a test makes.
export GOFLAGS += -trimpath
# A busy machine must not fail the tests: the limit of Go, 10 minutes, is far above what a package takes
# on an idle one, and could be reached on a loaded one.
TEST = $(GO) test -timeout 30m
# Vet is a part of lint. The race detector holds every process for a second at its end, and
# gcpro's tests start hundreds: the variable ends that.
TESTED = GORACE=atexit_sleep_ms=0 $(TEST) -vet=off
# Many tests of the other modules wait: more of them than processors run at a time.
WAITING = -p $$(($$(getconf _NPROCESSORS_ONLN) * 2))
# Make prints the output of each step in one piece, where it can.
SYNC = $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# The packages of every module.
ALL = $$($(GO) list -m -f '{{.Path}}/...')
SERVERS = scripts/postgres.sh run scripts/redis.sh run
# The tools have a go.mod of their own, which a workspace would refuse.
TOOL = GOWORK=off $(GO) tool -modfile=tools/go.mod
# staticcheck, errorlint, unparam and gocognit, run by go vet, which caches what they find by the content of
# the program: it must be the same in every clone.
LINT = build/lint
# Run by its version, which Go's checksum database vouches for: in tools/go.mod its hundreds of
# dependencies would decide the versions of the linters'.
GORELEASER = $(GO) run github.com/goreleaser/goreleaser/v2@v2.14.3

.PHONY: help tidy generate check lint test test-race test-plain test-exact test-race-others short demo bench fuzz golden bench-decoders build-386 jsonv2 apidiff vuln snapshot sbom publish

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

tidy: ## tidy go.mod and go.sum of every module
	$(GO) mod tidy
	scripts/modules.sh tidy

generate: ## regenerate the SDK from schema/
	$(GO) generate ./...

check: ## fail if generated files are not up to date
	$(GO) run ./cmd/gen check
	$(GO) run ./cmd/gen changelog -check

lint: ## formatting, go.mod, vet, staticcheck, errorlint, unparam, gocognit, workflows, English
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "run gofmt on the files above"; exit 1; }
	$(GO) mod tidy -diff
	scripts/modules.sh tidy-check
	cd tools && GOWORK=off $(GO) mod tidy -diff && GOWORK=off $(GO) vet ./...
	$(GO) vet $(ALL)
	cd tools && GOWORK=off $(GO) build -buildvcs=false -o ../$(LINT) ./lint
	$(GO) vet -vettool=$(LINT) $(ALL)
	$(TOOL) actionlint
	$(GO) run ./internal/words

test: lint ## everything that has to pass, the SDK with the race detector
	@# The tests of cmd/gen do what check does. Two steps run at once: while one waits, the other works.
	@$(SERVERS) $(MAKE) --no-print-directory -j2 $(SYNC) test-race test-plain test-exact test-race-others

test-race:
	$(TESTED) -race ./gocardless ./gocardless/...

# The detector would find little in what is left here: the generator has one goroutine.
test-plain:
	others=$$(scripts/modules.sh packages) && $(TESTED) $(WAITING) $$others . ./cmd/gen ./generator/... ./internal/...

# The detector allocates and is slow: exact bounds, large exports, long sequences and many pages go without it.
test-exact:
	$(TESTED) -run 'Allocations|Memory|ProgramSize|Export|IsCheap|OddReplies|OnTheWire|Sequences|AnyTime|Conserved|DashboardPages' ./gocardless ./gocardless/gocardlesstest

# The detector makes SQLite, which is C turned into Go, far slower: in the other modules it sees the
# short tests, and neither the packages of one goroutine nor the scripts that start many such processes.
test-race-others:
	others=$$(scripts/modules.sh packages | grep -v -E '/internal/(migrate|param|render)$$') && $(TESTED) $(WAITING) -race -short \
		-skip '^TestEveryScenario$$|^TestScripts$$/^(accounts|errors|formats|help|hostile|migrate|operations|shortcuts)$$' $$others

short: ## the tests that take seconds
	$(TESTED) -short $(ALL)

demo: ## a tour of the SDK against the sandbox, in one process
	@GOWORK=off $(GO) run ./internal/demo/cmd

golden: ## rewrite golden files
	$(TEST) ./generator -update

fuzz: ## fuzz each target for a minute
	@scripts/fuzz.sh 1m

bench: ## measure in CPU time, as ratios to plain net/http and encoding/json
	@$(GO) run ./internal/bench

bench-decoders: ## hold the decoder against sonic, goccy/go-json, easyjson and encoding/json
	cd internal/bench/decodertest && GOWORK=off $(GO) test -count=1 -v .

build-386: ## compile for 32 bits
	GOARCH=386 $(GO) build ./...
	GOARCH=386 scripts/modules.sh run $(GO) build ./...

jsonv2: ## the short tests with the next encoding/json
	GOEXPERIMENT=jsonv2 $(GO) test -short ./gocardless/... ./internal/contract/...

apidiff: ## what changed since the last version tag; fails if the version has not risen as far as that calls for
	$(GO) run ./cmd/gen diff -since tag -check-version

vuln: ## known vulnerabilities in what the module uses, by the database of the Go team
	$(TOOL) govulncheck ./...
	tool=$$($(TOOL) -n govulncheck) && scripts/modules.sh run "$$tool" ./...

snapshot: ## what a release would publish, into dist/
	$(GORELEASER) check
	$(GORELEASER) release --snapshot --clean

sbom: ## what the command is made of, as CycloneDX, into dist/
	@mkdir -p dist
	cd cmd/gcpro && $(GO) run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0 mod -json -licenses -output ../../dist/gcpro.cdx.json

publish: ## release the tag that is checked out, with the notes in the file NOTES (release.yml does)
	@test -s "$(NOTES)" || { echo "NOTES must name a file with the release's notes"; exit 1; }
	$(GORELEASER) release --clean --release-notes "$(NOTES)"
