package main

import (
	"crypto/rand"
	"embed"
	"encoding/csv"
	"errors"
	"html/template"
	"log"
	"net/http"
	"strconv"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/money"
)

//go:embed pages.html
var files embed.FS

func pounds(pence int64) string { return money.Format(pence, gocardless.CurrencyGBP) }

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"pounds": pounds,
	"token":  rand.Text,
}).ParseFS(files, "pages.html"))

// Handler serves the pages and the webhooks. It refuses forms from other sites. Webhooks are exempt,
// because they are signed.
func (c *Club) Handler() http.Handler {
	forms := http.NewServeMux()
	forms.HandleFunc("GET /{$}", c.page("join", func(*http.Request) (any, error) { return pounds(monthlyFee), nil }))
	forms.HandleFunc("POST /join", c.postJoin)
	forms.HandleFunc("GET /thanks", c.page("thanks", func(*http.Request) (any, error) { return nil, nil }))
	forms.HandleFunc("GET /members", c.page("members", c.overview))
	forms.HandleFunc("POST /members/{id}/charges", c.action(c.postCharge))
	forms.HandleFunc("POST /members/{id}/cancel", c.action(func(r *http.Request) error {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			return errBadForm
		}
		return c.cancel(r.Context(), id)
	}))
	forms.HandleFunc("POST /payments/{id}/retry", c.action(func(r *http.Request) error { return c.retry(r.Context(), r.PathValue("id")) }))
	forms.HandleFunc("POST /payments/{id}/refund", c.action(func(r *http.Request) error { return c.refund(r.Context(), r.PathValue("id")) }))
	forms.HandleFunc("GET /payments.csv", c.export)
	mux := http.NewServeMux()
	mux.Handle("POST /webhooks", c.webhooks)
	mux.Handle("/", http.NewCrossOriginProtection().Handler(forms))
	return mux
}

var errBadForm = errors.New("please fill in the form")

// fail answers with a message for the visitor, and logs errors that are not the visitor's.
func fail(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errBadForm):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.Is(err, gocardless.ErrInvalidState), errors.Is(err, gocardless.ErrValidation):
		log.Print(err)
		http.Error(w, "This cannot be done now.", http.StatusConflict)
	default:
		log.Print(err)
		http.Error(w, "Something went wrong. Please try again.", http.StatusInternalServerError)
	}
}

func (c *Club) page(name string, data func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := data(r)
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := pages.ExecuteTemplate(w, name, v); err != nil {
			log.Print(err)
		}
	}
}

// action returns a handler that calls do and redirects to the overview.
func (c *Club) action(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(r); err != nil {
			fail(w, err)
			return
		}
		http.Redirect(w, r, "/members", http.StatusSeeOther)
	}
}

func (c *Club) postJoin(w http.ResponseWriter, r *http.Request) {
	name, email := strings.TrimSpace(r.PostFormValue("name")), strings.TrimSpace(r.PostFormValue("email"))
	if name == "" || !strings.Contains(email, "@") {
		fail(w, errBadForm)
		return
	}
	hosted, err := c.join(r.Context(), name, email)
	if err != nil {
		fail(w, err)
		return
	}
	http.Redirect(w, r, hosted, http.StatusSeeOther)
}

func (c *Club) overview(r *http.Request) (any, error) {
	members, err := c.members(r.Context())
	if err != nil {
		return nil, err
	}
	payments, err := c.payments(r.Context())
	return struct {
		Members  []member
		Payments []payment
	}{members, payments}, err
}

func (c *Club) postCharge(r *http.Request) error {
	amount, err := strconv.ParseInt(r.PostFormValue("pence"), 10, 64)
	description, token := r.PostFormValue("description"), r.PostFormValue("token")
	if err != nil || amount <= 0 || description == "" || token == "" {
		return errBadForm
	}
	if _, err = c.db.ExecContext(r.Context(), `INSERT OR IGNORE INTO charges (member, token, amount, description) VALUES (?, ?, ?, ?)`,
		r.PathValue("id"), token, amount, description); err != nil {
		return err
	}
	return c.Work(r.Context())
}

// export writes the payments for a spreadsheet.
func (c *Club) export(w http.ResponseWriter, r *http.Request) {
	payments, err := c.payments(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="payments.csv"`)
	out := csv.NewWriter(w)
	_ = out.Write([]string{"payment", "member", "status", "amount", "refunded"})
	for _, p := range payments {
		_ = out.Write([]string{p.ID, harmless(p.Member), p.Status, strconv.FormatInt(p.Amount, 10), strconv.FormatInt(p.Refunded, 10)})
	}
	out.Flush()
	if err := out.Error(); err != nil {
		log.Print(err)
	}
}

// harmless keeps a spreadsheet from executing a name as a formula.
func harmless(cell string) string {
	if strings.IndexAny(strings.TrimLeft(cell, " \u00a0\u3000"), "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + cell
	}
	return cell
}
