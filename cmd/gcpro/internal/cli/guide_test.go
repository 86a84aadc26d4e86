package cli

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The guide lists the same exit codes as the help.
func TestGuideHasTheExitCodes(t *testing.T) {
	guide, err := os.ReadFile("../../../../docs/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := func(row, text string) (found []string) {
		for _, m := range regexp.MustCompile(row).FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
		return found
	}
	inGuide, inHelp := codes(`(?m)^\| (\d+) \|`, string(guide)), codes(`(?m)^  (\d+) `, exitCodesText)
	if !slices.Equal(inGuide, inHelp) || len(inHelp) != 10 {
		t.Errorf("the guide has %v, the help %v", inGuide, inHelp)
	}
}

// ofGcpro finds a command line of gcpro in a guide or a script.
var ofGcpro = regexp.MustCompile(`^(?:\$ gcpro|(?:\$ )?go run \S*cmd/gcpro(?:@latest)?|"\$dir/gcpro") ([^>]*)`)

// Every command in the guides exists and has the flags that they show.
func TestGuidesNameCommandsThatExist(t *testing.T) {
	found := 0
	for _, page := range []string{"../../../../README.md", "../../../../docs/command-line.md", "../../../../docs/guides/testing.md", "../../../../docs/sandbox-clients.md",
		"../../../../docs/sandbox.md", "../../../../examples/membership/README.md", "../../../../scripts/pictures.sh"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			m := ofGcpro.FindStringSubmatch(strings.TrimSpace(line))
			if m == nil {
				continue
			}
			found++
			command := m[1]
			a := &app{in: strings.NewReader(""), env: func(string) string { return "" }, now: time.Now}
			c, rest, err := a.root().Find(words(strings.TrimSuffix(command, " &")))
			if err != nil || !c.HasParent() {
				t.Errorf("%s: %s: %v", page, command, err)
				continue
			}
			for _, word := range rest {
				name, isLong := strings.CutPrefix(word, "--")
				short, isShort := strings.CutPrefix(word, "-")
				name, _, _ = strings.Cut(name, "=")
				switch {
				case isLong && c.Flag(name) == nil:
					t.Errorf("%s: %s: no flag --%s", page, command, name)
				case !isLong && isShort && short != "" && c.Flags().ShorthandLookup(short[:1]) == nil && c.InheritedFlags().ShorthandLookup(short[:1]) == nil:
					t.Errorf("%s: %s: no flag -%s", page, command, short)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d commands were found", found)
	}
}
