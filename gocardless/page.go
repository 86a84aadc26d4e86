package gocardless

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// Page is one page of a list.
type Page[T any] struct {
	// Items are the resources of the page, in the order of the API: newest first
	// unless the list was sorted otherwise.
	Items []*T
	// After is the cursor of the following page (of older items), or "" when this
	// is the last.
	After string
	// Before is the cursor of the page before this one (of newer items), or ""
	// when this is the first.
	Before string
	// Limit is the greatest number of items that a page may have, as the API
	// applied it.
	Limit int
	// Linked holds the resources that events refer to. It is set for lists of
	// events that asked for it by Include, else nil.
	Linked *EventLinked

	source *pageSource[T]
}

// pageSource is what it takes to fetch another page of the same list.
type pageSource[T any] struct {
	client *Client
	op     *Operation
	in     input
	opts   []RequestOption
	fetch  func(context.Context, *Client, *Operation, input, []RequestOption) (*Page[T], error)
}

// HasNext reports whether there is a following page.
func (p *Page[T]) HasNext() bool { return p.After != "" && p.source != nil }

// Next fetches the following page with the same parameters and options. On the
// last page it returns nil and no error, so that a loop reads
//
//	for page, err := c.Payments.List(ctx, params); page != nil || err != nil; page, err = page.Next(ctx) {
//		if err != nil {
//			return err
//		}
//		…
//	}
func (p *Page[T]) Next(ctx context.Context) (*Page[T], error) {
	if !p.HasNext() {
		return nil, nil
	}
	in := p.source.in
	if in.cursor == p.After {
		return nil, repeatedCursor(p.source.op)
	}
	in.cursorName, in.cursor = afterParam, p.After
	return p.source.fetch(ctx, p.source.client, p.source.op, in, p.source.opts)
}

// list fetches one page.
func list[T any, P decodable[T]](ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption) (*Page[T], error) {
	return fetchPage[T, P](ctx, c, op, in, slices.Clone(opts))
}

func fetchPage[T any, P decodable[T]](ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption) (*Page[T], error) {
	r := new(pageReply[T, P])
	if err := c.core.call(ctx, op, in, opts, r); err != nil {
		return nil, err
	}
	if !op.Cursors {
		return &r.page, nil // whatever the reply says, there is no other page
	}
	r.page.source = &pageSource[T]{client: c, op: op, in: in, opts: opts, fetch: fetchPage[T, P]}
	return &r.page, nil
}

// all iterates over the items of all pages; ranging again starts again.
func all[T any, P decodable[T]](ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption) iter.Seq2[*T, error] {
	opts = slices.Clone(opts)
	fetch := func(ctx context.Context, opts []RequestOption) iter.Seq2[*Page[T], error] {
		return pages[T, P](ctx, c, op, in, opts)
	}
	return func(yield func(*T, error) bool) {
		for page, err := range ahead(ctx, &c.core.settings, opts, fetch) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// pages iterates over the pages of a list. Each is fetched when the one before it
// has been consumed.
func pages[T any, P decodable[T]](ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		walk := startWalk(in)
		for {
			page, err := fetchPage[T, P](ctx, c, op, walk.in, opts)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page, nil) {
				return
			}
			more, err := walk.advance(op, page.After, page.Before)
			if err != nil {
				yield(nil, err)
			}
			if !more {
				return
			}
		}
	}
}

// walk is the state of an iteration over pages.
type walk struct {
	in   input
	back bool // from a "before" cursor towards newer items
	seen map[string]bool
}

// startWalk begins where the caller's cursors say. A caller who gives only
// "before" wants what is newer than that, so the walk goes on in that direction:
// going the other way would leave it at once.
func startWalk(in input) walk {
	w := walk{in: in, seen: map[string]bool{}}
	if p, ok := in.params.(queryable); ok {
		var q query
		p.query(&q)
		w.back = q.before != "" && q.after == ""
		if w.back {
			w.seen[q.before] = true
		} else {
			w.seen[q.after] = true
		}
	}
	return w
}

// advance moves to the page after the one with the given cursors and reports
// whether there is one. A cursor that was used before would lead round in
// circles; the items after it cannot be had, and not to say so would pass for a
// complete list.
func (w *walk) advance(op *Operation, after, before string) (bool, error) {
	w.in.cursorName, w.in.cursor = afterParam, after
	if w.back {
		w.in.cursorName, w.in.cursor = beforeParam, before
	}
	if w.in.cursor == "" || !op.Cursors {
		return false, nil
	}
	if w.seen[w.in.cursor] {
		return false, repeatedCursor(op)
	}
	w.seen[w.in.cursor] = true
	return true, nil
}

func repeatedCursor(op *Operation) error {
	return &MalformedResponseError{Operation: op.Name, StatusCode: op.Status, Err: errors.New("the list repeats a cursor")}
}

// pageReply reads the reply of a list.
type pageReply[T any, P decodable[T]] struct{ page Page[T] }

func (r *pageReply[T, P]) reset() { r.page = Page[T]{} }

func (r *pageReply[T, P]) value(d *decoder) { r.page.Items = decodeItems[T, P](d) }

func (r *pageReply[T, P]) sibling(d *decoder) {
	switch string(d.key) {
	case "meta":
		decodeMeta(d, &r.page.After, &r.page.Before, &r.page.Limit)
	case "linked":
		// Asked by an interface, so that only programs that list events link the
		// decoders of everything that events refer to.
		if linker, ok := any((*T)(nil)).(interface {
			decodeLinked(*decoder) *EventLinked
		}); ok {
			r.page.Linked = linker.decodeLinked(d)
			return
		}
		d.skip()
	default:
		d.skip()
	}
}

// decodeLinked reads what a list of events carries beside its items.
func (*Event) decodeLinked(d *decoder) *EventLinked { return decodeObject[EventLinked](d) }

// decodeMeta reads the cursors of a page. All of it may be missing or null.
func decodeMeta(d *decoder, after, before *string, limit *int) {
	for d.object(); d.more(); {
		switch string(d.key) {
		case "cursors":
			for d.object(); d.more(); {
				switch string(d.key) {
				case afterParam:
					*after = d.string()
				case beforeParam:
					*before = d.string()
				default:
					d.skip()
				}
			}
		case "limit":
			*limit = d.int()
		default:
			d.skip()
		}
	}
}
