package cli

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/gocardless-community/gocardless-go/cmd/gcpro/internal/spec"
	"github.com/gocardless-community/gocardless-go/gocardless"
)

// maxPage is the largest page of the API.
const maxPage = 500

// defaultItems is the default of --limit.
const defaultItems = 50

// pages calls a list page by page and passes the items of each page to a function, until it has
// passed enough of them; 0 means all.
func pages(ctx context.Context, client *gocardless.Client, r *request, enough int, each func(items []json.RawMessage) error) error {
	if enough == 0 {
		enough = math.MaxInt
	}
	for {
		if r.op.Cursors {
			r.query.Set("limit", strconv.Itoa(min(maxPage, enough)))
		}
		var record gocardless.Response
		reply, err := r.send(ctx, client, &record)
		if err != nil {
			return err
		}
		items, after, err := page(r.op, reply)
		if err != nil {
			return err
		}
		items = items[:min(len(items), enough)]
		if err := each(items); err != nil {
			return err
		}
		enough -= len(items)
		switch {
		case after == "" || enough == 0:
			return nil
		case after == r.query.Get("after"):
			return errors.New("the API returned the same page twice; the list is incomplete")
		}
		r.query.Set("after", after)
	}
}

// page takes the items and the cursor of the next page out of a reply.
func page(op *spec.Operation, reply json.RawMessage) (items []json.RawMessage, after string, err error) {
	raw, err := unwrap(op, reply)
	if err != nil {
		return nil, "", err
	}
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, "", err
	}
	var rest struct {
		Meta struct {
			Cursors struct {
				After string `json:"after"`
			} `json:"cursors"`
		} `json:"meta"`
	}
	if op.Cursors {
		err = json.Unmarshal(reply, &rest)
	}
	return items, rest.Meta.Cursors.After, err
}

// list writes the items of a list, page by page.
func (a *app) list(ctx context.Context, client *gocardless.Client, r *request, enough int) error {
	out := a.sink(r.op.Result)
	bar := a.progress(0)
	seen := 0
	err := pages(ctx, client, r, enough, func(items []json.RawMessage) error {
		seen += len(items)
		if len(items) == maxPage {
			bar.set(seen)
		}
		return out.write(items)
	})
	bar.clear()
	if err != nil && seen == 0 {
		return err
	}
	return errors.Join(err, out.close(ctx))
}
