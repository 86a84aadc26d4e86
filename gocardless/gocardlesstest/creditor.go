package gocardlesstest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Creditors, their scheme identifiers and verification details, and the creditor of a new sandbox.

func creditorFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "creditors", IDForm: store.IDULID, Computed: []store.Computed{{Name: "scheme_identifiers", Value: schemeIdentifiersOf}}})
	r.on("creditors.create", createCreditor)
	r.on("creditors.update", updateCreditor)

	r.collection(store.CollectionSpec{Name: "scheme_identifiers", Indexed: []string{"creditor"}, Private: []string{"creditor"}})
	r.on("scheme_identifiers.create", createSchemeIdentifier)
	r.job("scheme_identifier.activate", func(tx *tx, id, _ string) {
		if s := tx.find("scheme_identifiers", id); s != nil && s.Status() == "pending" {
			tx.activateSchemeIdentifier(s)
		}
	})

	r.collection(store.CollectionSpec{Name: "verification_details", Prefix: "VD", Indexed: []string{"creditor"}})
	r.on("verification_details.create", createVerificationDetail)

	r.seed(seedCreditor)
}

// seedCreditor creates the creditor that every sandbox starts with.
func seedCreditor(tx *tx) {
	c := tx.make("creditors")
	c.Set("name", "Sandbox Merchant Ltd")
	c.Set("creditor_type", "company")
	c.Set("address_line1", "338-346 Goswell Road")
	c.Set("city", "London")
	c.Set("postal_code", "EC1V 7LQ")
	c.Set("country_code", "GB")
	tx.addCreditor(c)
	p := &api.Problems{}
	for _, o := range []object{
		{{"account_holder_name", "Sandbox Merchant Ltd"}, {"country_code", "GB"}, {"branch_code", "200000"}, {"account_number", "55779911"}},
		{{"account_holder_name", "Sandbox Merchant Ltd"}, {"iban", "FR1420041010050500013M02606"}},
	} {
		d := readBankDetails(p, "", o)
		a := tx.addCreditorBankAccount(c, d, nil)
		c.SetLink(payoutLink(d.Currency), a.ID)
	}
	if len(p.Items) > 0 {
		panic("gocardlesstest: " + p.Items[0].Message)
	}
	for _, scheme := range api.Op("scheme_identifiers.create").Bodies[0].Field("scheme").Enum {
		s := tx.addSchemeIdentifier(c, scheme, "SANDBOX MERCHANT")
		s.Set("status", "active")
	}
}

// addCreditor stores a creditor with the flags of a new sandbox account.
func (tx *tx) addCreditor(c *record) *record {
	c.Set("bank_reference_prefix", nilIfEmpty(c.Str("bank_reference_prefix")))
	c.Set("can_create_refunds", tx.sb.opts.refunds)
	c.Set("custom_payment_pages_enabled", true)
	c.Set("mandate_imports_enabled", true)
	c.Set("merchant_responsible_for_notifications", tx.sb.opts.notifications)
	c.Set("verification_status", "successful")
	c.Set("fx_payout_currency", cmp.Or(countryCurrency(c.Str("country_code")), "EUR"))
	links := object{}
	for _, f := range c.Coll.Spec.Field("links").Type.Fields {
		links = append(links, member{f.Name, nil})
	}
	c.Set("links", links)
	return tx.add(c)
}

// schemeIdentifiersOf returns the creditor's scheme identifiers, which its replies embed.
func schemeIdentifiersOf(_ time.Time, c *record) any {
	out := []any{}
	for _, s := range c.Coll.Store.Coll("scheme_identifiers").By("creditor", c.ID) {
		o := object{{"id", s.ID}}
		for i, f := range s.Coll.Spec.Fields {
			if f.Name != "id" {
				o = append(o, member{f.Name, s.Vals[i]})
			}
		}
		out = append(out, o)
	}
	return out
}

func createCreditor(tx *tx) (result, error) {
	p := tx.problems()
	checkAddress(p, "", tx.body, tx.body.Str("country_code"))
	checkPrefix(p, tx.body.Str("bank_reference_prefix"))
	if strings.TrimSpace(tx.body.Str("name")) == "" {
		p.Add("name", "can't be blank")
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	c := tx.make("creditors")
	c.CopyFrom(tx.op.Bodies[0], tx.body)
	return one(tx.addCreditor(c)), nil
}

func checkPrefix(p *api.Problems, prefix string) {
	if prefix != "" && (utf8.RuneCountInString(prefix) > 6 || strings.ContainsFunc(prefix, func(c rune) bool {
		return !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	})) {
		p.Add("bank_reference_prefix", "must be up to 6 letters and digits")
	}
}

func updateCreditor(tx *tx) (result, error) {
	c := tx.target
	p := tx.problems()
	checkAddress(p, "", tx.body, tx.body.Str("country_code"))
	checkPrefix(p, tx.body.Str("bank_reference_prefix"))
	for _, l := range tx.body.Obj("links") {
		id, _ := l.Val.(string)
		if id == "" {
			continue
		}
		a := tx.find("creditor_bank_accounts", id)
		switch {
		case a == nil || a.Link("creditor") != c.ID:
			return result{}, api.LinkNotFound(tx.op.Request, "creditor bank account", l.Key)
		case !a.Flag("enabled"):
			return result{}, api.Refuse("bank_account_disabled", "The bank account is disabled")
		case payoutLink(a.Str("currency")) != l.Key:
			p.Add("links/"+l.Key, "must be an account in that currency")
		}
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	tx.merge(c)
	for _, l := range tx.body.Obj("links") {
		c.Set("links", c.Obj("links").With(l.Key, l.Val))
	}
	return one(c), nil
}

// setVerification changes a creditor's verification status and creates the event.
func (tx *tx) setVerification(c *record, status string) {
	if c.Str("verification_status") != status {
		c.Set("verification_status", status)
		tx.event(c, event{action: "updated", cause: "creditor_updated", origin: "gocardless", property: "verification_status"})
	}
}

// identifierLimit returns the maximum length, in a scheme, of the name on bank statements.
func identifierLimit(scheme string) int {
	switch scheme {
	case "bacs", "faster_payments":
		return 18
	case "ach":
		return 16
	}
	return 70
}

func createSchemeIdentifier(tx *tx) (result, error) {
	creditor, err := tx.creditor()
	if err != nil {
		return result{}, err
	}
	name, scheme := strings.TrimSpace(tx.body.Str("name")), tx.body.Str("scheme")
	p := tx.problems()
	if name == "" {
		p.Add("name", "can't be blank")
	} else if n := identifierLimit(scheme); utf8.RuneCountInString(name) > n {
		p.Add("name", "is too long (maximum is %d characters)", n)
	}
	for _, s := range tx.sb.store.Coll("scheme_identifiers").Recs {
		if s.Str("scheme") == scheme && strings.EqualFold(s.Str("name"), name) {
			// Names are unique within a scheme; the API suggests another.
			other := name
			if utf8.RuneCountInString(other)+2 > identifierLimit(scheme) {
				other = string([]rune(other)[:identifierLimit(scheme)-2])
			}
			p.AddWith(object{{"suggested_name", other + " 2"}}, "name", "has already been taken")
			break
		}
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	s := tx.addSchemeIdentifier(creditor, scheme, name)
	if scheme == "bacs" {
		// Bacs takes up to five working days; other schemes are active at once.
		s.Set("status", "pending")
		tx.at(bank.TimingOf("bacs").Days().Shift(tx.today(), 5).At(bank.ConfirmHour, 0), "scheme_identifier.activate", s.ID, "")
	} else {
		tx.activateSchemeIdentifier(s)
	}
	return one(s), nil
}

func (tx *tx) activateSchemeIdentifier(s *record) {
	s.Set("status", "active")
	tx.must("creditors", s.Ref("creditor")).Touch()
	tx.event(s, event{action: "activated", cause: "scheme_identifier_activated", origin: "gocardless"})
}

// minimumNotice is the number of working days before the charge by which a payer must be notified.
var minimumNotice = map[string]int{"bacs": 3, "sepa": 3, "autogiro": 8, "betalingsservice": 6, "becs_nz": 2, "pad": 3, "ach": 1}

func (tx *tx) addSchemeIdentifier(creditor *record, scheme, name string) *record {
	s := tx.make("scheme_identifiers")
	s.Set("name", name)
	s.Set("scheme", scheme)
	payment := scheme
	if scheme == "sepa" {
		payment = "sepa_core"
	}
	s.Set("currency", currencyOf(payment))
	s.Set("reference", schemeReference(scheme, s.ID))
	s.Set("can_specify_mandate_reference", scheme != "betalingsservice" && scheme != "autogiro")
	s.Set("minimum_advance_notice", minimumNotice[scheme])
	for _, f := range []string{"address_line1", "address_line2", "address_line3", "city", "postal_code", "region", "country_code"} {
		s.Set(f, creditor.Get(f))
	}
	s.Set("email", "help@example.com")
	s.Set("phone_number", "+44 20 7183 8674")
	s.SetRef("creditor", creditor.ID)
	creditor.Touch() // its reply embeds the identifiers
	return tx.add(s)
}

// schemeReference returns the identifier that the scheme itself uses: a service user number in Bacs, a
// creditor identifier in SEPA.
func schemeReference(scheme, id string) string {
	n := store.HashText(id) % 1_000_000
	digits := strconv.Itoa(1_000_000 + int(n))[1:]
	switch scheme {
	case "sepa", "sepa_credit_transfer", "sepa_instant_credit_transfer":
		return "GB27ZZZSDDGOCA00000" + digits
	}
	return digits
}

func createVerificationDetail(tx *tx) (result, error) {
	creditor, err := tx.linked("creditors", "creditor")
	if err != nil {
		return result{}, err
	}
	p := tx.problems()
	if len(tx.body.List("directors")) == 0 {
		p.Add("directors", "can't be blank")
	}
	if err := p.Err(); err != nil {
		return result{}, err
	}
	v := tx.draft("verification_details")
	v.Set("country_code", creditor.Get("country_code"))
	return one(tx.add(v)), nil
}

// payoutAccount returns the account that receives a creditor's money: its account in the currency, or
// otherwise any of its accounts.
func (tx *tx) payoutAccount(creditor *record, currency string) string {
	if id := creditor.Link(payoutLink(currency)); id != "" {
		return id
	}
	accounts := tx.sb.store.Coll("creditor_bank_accounts").By("creditor", creditor.ID)
	if i := slices.IndexFunc(accounts, func(a *record) bool { return a.Flag("enabled") }); i >= 0 {
		return accounts[i].ID
	}
	return ""
}
