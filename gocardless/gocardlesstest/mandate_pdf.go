package gocardlesstest

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/page"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/value"
)

// Mandate PDFs: small but valid documents, which the sandbox serves for ten minutes.

const (
	pdfLife = 10 * time.Minute
	pdfPath = "/billing/static/mandate-pdf"
)

const mandatePDFLines store.Hidden[[]any] = "lines"

func mandatePDFFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "mandate_pdfs", Prefix: "PDF", Internal: true})
	r.on("mandate_pdfs.create", createMandatePDF)
	r.page(pdfPath, serveMandatePDF)
}

func createMandatePDF(tx *tx) (result, error) {
	m, err := tx.linked("mandates", "mandate")
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	details, scheme := tx.body, tx.body.Str("scheme")
	if m != nil {
		for _, f := range tx.body {
			if f.Key != "links" {
				p.Add(f.Key, "cannot be given together with a mandate")
			}
		}
		scheme = m.Str("scheme")
		account := tx.must("customer_bank_accounts", m.Link("customer_bank_account"))
		customer := tx.must("customers", m.Link("customer"))
		details = customer.Object().With("account_holder_name", account.Get("account_holder_name")).
			With("mandate_reference", m.Get("reference")).With("account_number", "ending "+account.Str("account_number_ending"))
	} else {
		// Without a mandate, the details are in the call. Missing ones leave blanks in the form.
		switch country := tx.body.Str("country_code"); {
		case tx.body.Has("iban"):
			readAccount(p, "", tx.body)
			if scheme == "" {
				scheme = "sepa_core"
			}
		case scheme == "" && country == "":
			p.Add("scheme", "can't be blank")
		case tx.body.Has("account_number"):
			readAccount(p, "", tx.body)
		}
		if scheme == "" {
			scheme = schemeOf(countryCurrency(tx.body.Str("country_code")))
		}
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	r := tx.make("mandate_pdfs")
	r.Set("expires_at", value.Stamp(tx.now.Add(pdfLife)))
	r.Set("url", tx.payURL()+pdfPath+"/"+r.ID+".pdf")
	mandatePDFLines.Set(r, texts(pdfLines(scheme, details)))
	tx.add(r)
	return result{obj: r.Object()}, nil
}

// pdfLines returns the lines of the document.
func pdfLines(scheme string, o object) []string {
	lines := []string{"Direct Debit mandate (" + scheme + ")", "Created by a sandbox: not a valid mandate", ""}
	for _, f := range []struct{ label, name string }{
		{"Reference", "mandate_reference"}, {"Account holder", "account_holder_name"}, {"Company", "company_name"},
		{"First name", "given_name"}, {"Last name", "family_name"}, {"Address", "address_line1"}, {"Town", "city"}, {"Postcode", "postal_code"},
		{"IBAN", "iban"}, {"Branch", "branch_code"}, {"Account", "account_number"}, {"Signed on", "signature_date"},
	} {
		lines = append(lines, f.label+": "+cmp.Or(o.Str(f.name), "................"))
	}
	return lines
}

func serveMandatePDF(sb *Sandbox, w http.ResponseWriter, r *http.Request) {
	if v := page.Check(w, r); v != nil || r.Method == http.MethodPost {
		page.Write(w, r, page.Message(http.StatusMethodNotAllowed, "Method not allowed", "Documents can only be read."))
		return
	}
	id := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, pdfPath+"/"), ".pdf")
	var lines []string
	sb.view(func(tx *tx) {
		if d := tx.find("mandate_pdfs", id); d != nil && d.Str("expires_at") > tx.timestamp() {
			for _, l := range mandatePDFLines.Of(d) {
				s, _ := l.(string)
				lines = append(lines, s)
			}
		}
	})
	if lines == nil {
		page.Write(w, r, page.Message(http.StatusNotFound, "Page not found", "The document does not exist or has expired after ten minutes."))
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(pdfOf(lines))
}

// pdfOf returns a page of lines as PDF 1.4.
func pdfOf(lines []string) []byte {
	var text bytes.Buffer
	text.WriteString("BT /F1 12 Tf 14 TL 72 770 Td\n")
	for _, l := range lines {
		fmt.Fprintf(&text, "(%s) Tj T*\n", pdfText(l))
	}
	text.WriteString("ET")
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.Bytes()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

// pdfText escapes a string of the document. Characters outside Latin-1 become "?".
func pdfText(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '(' || c == ')' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(byte(c))
		case c < ' ' || c > 0xff || c >= 0x7f && c < 0xa0:
			b.WriteByte('?')
		default:
			b.WriteByte(byte(c))
		}
	}
	return b.String()
}
