package gocardless

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"

	"github.com/gocardless-community/gocardless-go/gocardless/internal/jsonwire"
	"github.com/gocardless-community/gocardless-go/gocardless/internal/request"
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
	// Limit is the maximum number of items on a page, as the API applied it.
	Limit int
	// Linked holds the resources that the events of the page refer to. It is set only for lists of
	// events whose params include them, and otherwise nil.
	Linked *EventLinked

	source *pageSource
}

// pageSource fetches a page of a list.
type pageSource struct {
	core *core
	op   *Operation
	in   input
	opts []RequestOption
	kind pageKind
}

// pageKind is the type of a list's items. Nothing else depends on it, so paging is compiled once for
// all types. A Page would not do: its Linked would link EventLinked into every program that lists
// something.
type pageKind struct {
	list any // a *[]*T
	item any // see jsonwire's Items
}

// pageOf makes the Page of a reply.
func pageOf[T any](r *pageReply, err error) (*Page[T], error) {
	if err != nil {
		return nil, err
	}
	linked, _ := r.linked.(*EventLinked)
	return &Page[T]{
		Items: *r.items.(*[]*T), After: r.after, Before: r.before, Limit: r.limit, Linked: linked, source: r.source,
	}, nil
}

// HasNext reports whether there is a following page.
func (p *Page[T]) HasNext() bool { return p.After != "" && p.source != nil }

// Next fetches the following page with the same parameters and options. On the last page it returns
// nil and no error. A loop over pages is
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
	return pageOf[T](p.source.next(ctx, p.After))
}

// next fetches the page after a cursor.
func (s *pageSource) next(ctx context.Context, after string) (*pageReply, error) {
	if w := startWalk(s.in); s.in.cursor == after || !w.back && w.seen[after] {
		return nil, repeatedCursor(s.op)
	}
	following := *s
	following.in.cursorName, following.in.cursor = request.After, after
	return following.fetch(ctx)
}

// fetch fetches the page.
func (s *pageSource) fetch(ctx context.Context) (*pageReply, error) {
	page := &pageReply{items: reflect.New(reflect.TypeOf(s.kind.list).Elem()).Interface(), item: s.kind.item}
	if err := s.core.call(ctx, s.op, s.in, s.opts, page); err != nil {
		return nil, err
	}
	if s.op.Cursors { // otherwise the page is the only one, whatever the reply contains
		page.source = s
	}
	return page, nil
}

// newSource copies the options, so that the caller may reuse the slice. Inlined, it would be copied
// into every list method.
//
//go:noinline
func newSource(c *Client, op *Operation, in input, opts []RequestOption, kind pageKind) *pageSource {
	return &pageSource{core: c.core, op: op, in: in, opts: slices.Clone(opts), kind: kind}
}

// list fetches one page.
func list[T any](ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption, item any) (*Page[T], error) {
	return pageOf[T](newSource(c, op, in, opts, pageKind{(*[]*T)(nil), item}).fetch(ctx))
}

// all iterates over the items of all pages. Each range starts from the first page. P is a pointer to
// an item, so that all lists share one instance of the function. Inlined, its closures would be
// copied into every list method.
//
//go:noinline
func all[P any](ctx context.Context, c *Client, op *Operation, in input, opts []RequestOption, item any) iter.Seq2[P, error] {
	source := newSource(c, op, in, opts, pageKind{(*[]P)(nil), item})
	return func(yield func(P, error) bool) {
		source.each(ctx, func(page *pageReply, err error) bool {
			if err != nil {
				var none P
				return yield(none, err)
			}
			for _, item := range *page.items.(*[]P) {
				if !yield(item, nil) {
					return false
				}
			}
			return true
		})
	}
}

// each calls yield with each page, and fetches pages ahead if the options ask for it.
func (s *pageSource) each(ctx context.Context, yield func(*pageReply, error) bool) {
	set := s.core.with(s.opts)
	if set.prefetch > 0 && ctx != nil {
		s.ahead(ctx, set.prefetch, set.response, yield)
		return
	}
	s.pages(ctx, yield)
}

// pages calls yield with each page. It fetches the next page when yield returns.
func (s *pageSource) pages(ctx context.Context, yield func(*pageReply, error) bool) {
	walk := startWalk(s.in)
	for more := true; more; {
		at := *s
		at.in = walk.in
		page, err := at.fetch(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		if !yield(page, nil) {
			return
		}
		if more, err = walk.advance(s.op, page.after, page.before); err != nil {
			yield(nil, err)
		}
	}
}

// walk is the state of an iteration over pages.
type walk struct {
	in   input
	back bool // from a "before" cursor towards newer items
	seen map[string]bool
}

// startWalk begins at the caller's cursors. If only "before" is set, the walk continues towards newer
// items.
func startWalk(in input) walk {
	w := walk{in: in, seen: map[string]bool{}}
	if in.params.use != nil {
		parts, _ := in.params.use.Write(in.params.v, request.Options{}) // the call reports the error
		w.back = parts.Before != "" && parts.After == ""
		if w.back {
			w.seen[parts.Before] = true
		} else {
			w.seen[parts.After] = true
		}
	}
	return w
}

// advance moves to the next page, given the cursors of the current one, and reports whether there is
// one. A cursor that was used before is an error: following it would loop, and stopping there would
// look like the end of the list.
func (w *walk) advance(op *Operation, after, before string) (bool, error) {
	w.in.cursorName, w.in.cursor = request.After, after
	if w.back {
		w.in.cursorName, w.in.cursor = request.Before, before
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
type pageReply struct {
	items, item   any // as in pageKind
	after, before string
	limit         int
	linked        any         // an *EventLinked, or nil
	source        *pageSource // of the following page, if there may be one
}

func (r *pageReply) reset() {
	*r = pageReply{items: r.items, item: r.item}
	r.clear()
}

func (r *pageReply) clear() { reflect.ValueOf(r.items).Elem().SetZero() }

func (r *pageReply) value(d *jsonwire.Decoder) bool {
	return d.Items(r.items, r.item)
}

// sibling reads a member next to the items.
func (r *pageReply) sibling(d *jsonwire.Decoder) {
	switch string(d.Key) {
	case "meta":
		// A cursor that cannot be read would look like the end of the list.
		d.Essential(true)
		decodeMeta(d, &r.after, &r.before, &r.limit)
		d.Essential(false)
	case "linked":
		// The interface makes sure that only programs that list events link the decoders of
		// EventLinked.
		if linker, ok := r.anItem().(interface {
			decodeLinked(*jsonwire.Decoder) any
		}); ok {
			r.linked = linker.decodeLinked(d)
			return
		}
		d.Skip()
	default:
		d.Unknown()
	}
}

// anItem returns a nil pointer of the type of the items.
func (r *pageReply) anItem() any {
	return reflect.Zero(reflect.TypeOf(r.items).Elem().Elem()).Interface()
}

// keepMisfits passes misfits to items that record them.
func (r *pageReply) keepMisfits(misfits []Misfit) {
	if keeper, ok := r.anItem().(interface {
		keepMisfits(items any, misfits []Misfit)
	}); ok {
		keeper.keepMisfits(r.items, misfits)
	}
}

// keepMisfits adds misfits to the events of a page that contain them.
func (*Event) keepMisfits(items any, misfits []Misfit) {
	events := *items.(*[]*Event)
	for _, m := range misfits {
		if i, path, ok := insideList(m.Path, "events"); ok && i < len(events) {
			m.Path = path
			events[i].Misfits = append(events[i].Misfits, m)
		}
	}
}

// decodeLinked reads the member "linked" of a list of events.
func (*Event) decodeLinked(d *jsonwire.Decoder) any {
	if !d.HasObject() {
		return nil
	}
	v := new(EventLinked)
	d.Read(v)
	return v
}

// decodeMeta reads the cursors of a page. Any part of it may be missing or null.
func decodeMeta(d *jsonwire.Decoder, after, before *string, limit *int) {
	for d.Object(); d.More(); {
		switch string(d.Key) {
		case "cursors":
			for d.Object(); d.More(); {
				switch string(d.Key) {
				case request.After:
					*after = d.Text()
				case request.Before:
					*before = d.Text()
				default:
					d.Unknown()
				}
			}
		case "limit":
			*limit = d.Int()
		default:
			d.Unknown()
		}
	}
}
