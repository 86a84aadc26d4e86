package cli

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Every command in the guides exists, with its flags.
func TestGuidesNameCommandsThatExist(t *testing.T) {
	found := 0
	for _, page := range []string{"../../../../README.md", "../../../../docs/command-line.md", "../../../../docs/guides/testing.md", "../../../../docs/sandbox-clients.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ gcpro ")
			if !ok {
				continue
			}
			found++
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
				case !isLong && isShort && len(short) == 1 && c.Flags().ShorthandLookup(short) == nil && c.InheritedFlags().ShorthandLookup(short) == nil:
					t.Errorf("%s: %s: no flag -%s", page, command, short)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d commands were found", found)
	}
}
