package load

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gocardless-community/gocardless-go/internal/jsontree"
)

// Without returns an overlay without some of its entries or parts of entries. The rest of the file keeps its
// form.
func Without(overlay []byte, entries []Stale) ([]byte, error) {
	gone := map[string]bool{}
	for _, e := range entries {
		gone[e.Pointer] = true
	}
	f := elements{dec: json.NewDecoder(bytes.NewReader(overlay)), data: overlay, gone: gone}
	if err := f.value(""); err != nil {
		return nil, fmt.Errorf("overlay: %w", err)
	}
	slices.SortFunc(f.cuts, func(a, b [2]int) int { return cmp.Compare(b[0], a[0]) })
	out := slices.Clone(overlay)
	for _, cut := range f.cuts { // from the end, so that positions stay right
		out = slices.Delete(out, cut[0], cut[1])
	}
	return out, nil
}

// elements finds the positions of array elements in a file.
type elements struct {
	dec  *json.Decoder
	data []byte
	gone map[string]bool // by pointer
	cuts [][2]int
}

func (f *elements) value(pointer string) error {
	t, err := f.dec.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		for f.dec.More() {
			key, err := f.dec.Token()
			if err != nil {
				return err
			}
			if err := f.value(jsontree.Join(pointer, fmt.Sprint(key))); err != nil {
				return err
			}
		}
	case json.Delim('['):
		return f.array(pointer)
	default:
		return nil
	}
	_, err = f.dec.Token()
	return err
}

// array records what to cut: an element with the comma before it, or with the comma after it if no element
// before it stays.
func (f *elements) array(pointer string) error {
	open := int(f.dec.InputOffset())
	kept, end := false, open // of the last element
	var cuts [][2]int
	for i := 0; f.dec.More(); i++ {
		at := fmt.Sprintf("%s/%d", pointer, i)
		if err := f.value(at); err != nil {
			return err
		}
		next := int(f.dec.InputOffset())
		switch {
		case !f.gone[at]:
			kept = true
		case kept:
			cuts = append(cuts, [2]int{end, next})
		default:
			cuts = append(cuts, [2]int{f.past(end), f.past(next)})
		}
		end = next
	}
	if !kept && cuts != nil {
		cuts = [][2]int{{open, f.past(end)}}
	}
	f.cuts = append(f.cuts, cuts...)
	_, err := f.dec.Token()
	return err
}

// past returns the position after white space and a comma.
func (f *elements) past(at int) int {
	for at < len(f.data) && bytes.IndexByte([]byte(" \t\r\n,"), f.data[at]) >= 0 {
		at++
	}
	return at
}
