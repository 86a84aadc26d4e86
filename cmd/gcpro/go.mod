module github.com/gocardless-community/gocardless-go/cmd/gcpro

go 1.26.0

require (
	github.com/gocardless-community/gocardless-go v0.1.0
	github.com/itchyny/gojq v0.12.20
	go.yaml.in/yaml/v3 v3.0.5
)

require (
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

require (
	github.com/itchyny/timefmt-go v0.1.9 // indirect
	golang.org/x/tools v0.52.0
)
