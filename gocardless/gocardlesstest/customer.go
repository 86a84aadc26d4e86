package gocardlesstest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/api"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Customers, whose removal is final.

func customerFamily(r *registry) {
	r.collection(store.CollectionSpec{Name: "customers", IDForm: store.IDULID})
	r.on("customers.create", createCustomer)
	r.on("customers.update", updateCustomer)
	r.on("customers.remove", removeCustomer)
	r.filter("customers.list", "currency", func(c *record, currency string) bool {
		return slices.ContainsFunc(c.Coll.Store.Coll("customer_bank_accounts").By("customer", c.ID), func(a *record) bool {
			return a.Str("currency") == currency
		})
	})
	// No customer of the sandbox lacks details.
	r.filter("customers.list", "action_required", func(_ *record, v string) bool { return v == "false" })
}

// languages are the ones that the API writes to customers in.
var languages = []string{"en", "fr", "de", "pt", "es", "it", "nl", "da", "nb", "sl", "sv"}

// countryLanguage returns the default language of a country.
func countryLanguage(country string) string {
	switch country {
	case "FR", "LU", "MC":
		return "fr"
	case "DE", "AT", "LI":
		return "de"
	case "PT":
		return "pt"
	case "ES":
		return "es"
	case "IT", "SM":
		return "it"
	case "NL":
		return "nl"
	case "DK":
		return "da"
	case "NO":
		return "nb"
	case "SI":
		return "sl"
	case "SE":
		return "sv"
	}
	return "en"
}

var (
	phoneForm  = regexp.MustCompile(`^\+?[0-9 ()./-]{4,}$`)
	stateForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	onlyDigits = regexp.MustCompile(`^[0-9]+$`)
)

// checkCustomer checks the details of a person or company. The customer before the change is nil for a
// new one. The path leads to the details within the body.
func (tx *tx) checkCustomer(p *api.Problems, path string, details object, before *record) {
	value := func(name string) string {
		if _, there := details.Lookup(name); !there && before != nil {
			return before.Str(name)
		}
		return strings.TrimSpace(details.Str(name))
	}
	if value("company_name") == "" {
		for _, name := range []string{"given_name", "family_name"} {
			if value(name) == "" {
				p.Add(path+name, "can't be blank")
			}
		}
	}
	if value("email") == "" && !tx.sb.opts.notifications {
		p.Add(path+"email", "can't be blank")
	}
	checkAddress(p, path, details, value("country_code"))
	if v := details.Str("language"); v != "" && !slices.Contains(languages, v) {
		p.Add(path+"language", "must be one of: %s", strings.Join(languages, ", "))
	}
	if v := details.Str("phone_number"); v != "" && !phoneForm.MatchString(v) {
		p.Add(path+"phone_number", "is invalid")
	}
	checkIdentityNumbers(p, path, details, before)
}

// checkIdentityNumbers checks the Swedish and Danish numbers of people and companies.
func checkIdentityNumbers(p *api.Problems, path string, details object, before *record) {
	if v := details.Str("swedish_identity_number"); v != "" {
		switch {
		case !validSwedishNumber(v):
			p.Add(path+"swedish_identity_number", "is invalid")
		case before != nil && before.Str("swedish_identity_number") != "" && before.Str("swedish_identity_number") != v:
			p.Add(path+"swedish_identity_number", "cannot be changed")
		}
	}
	if v := details.Str("danish_identity_number"); v != "" && !validDanishNumber(v) {
		p.Add(path+"danish_identity_number", "is invalid")
	}
}

// checkAddress checks the details that depend on the country.
func checkAddress(p *api.Problems, path string, details object, country string) {
	if v := details.Str("region"); v != "" && country == "US" && !stateForm.MatchString(v) {
		p.Add(path+"region", "must be a two-letter state code")
	}
}

// validSwedishNumber checks the length of a personnummer or organisationsnummer.
func validSwedishNumber(v string) bool {
	d := strings.NewReplacer("-", "", "+", "").Replace(v)
	return onlyDigits.MatchString(d) && (len(d) == 10 || len(d) == 12)
}

// validDanishNumber checks the length of a CVR or CPR number.
func validDanishNumber(v string) bool {
	d := strings.ReplaceAll(v, "-", "")
	return onlyDigits.MatchString(d) && (len(d) == 8 || len(d) == 10)
}

func createCustomer(tx *tx) (result, error) {
	p := tx.problems()
	tx.checkCustomer(p, "", tx.body, nil)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	return one(tx.addCustomer(tx.body)), nil
}

// addCustomer stores a customer with checked details, and ignores details of other resources.
func (tx *tx) addCustomer(details object) *record {
	c := tx.make("customers")
	for _, m := range details {
		if c.Coll.Spec.Index(m.Key) >= 0 {
			c.Set(m.Key, m.Val)
		}
	}
	if c.Str("language") == "" {
		c.Set("language", countryLanguage(c.Str("country_code")))
	}
	return tx.add(c)
}

func updateCustomer(tx *tx) (result, error) {
	p := tx.problems()
	tx.checkCustomer(p, "", tx.body, tx.target)
	if err := p.Err(); err != nil {
		return result{}, err
	}
	tx.merge(tx.target)
	return one(tx.target), nil
}

// removeCustomer removes a customer, its personal data, and everything that could still collect from
// it.
func removeCustomer(tx *tx) (result, error) {
	c := tx.target
	st := tx.sb.store
	for _, m := range st.Coll("mandates").By("customer", c.ID) {
		if mandateOpen(m.Status()) {
			tx.cancelMandate(m, ending{cause: "mandate_cancelled"})
		}
		for _, s := range st.Coll("subscriptions").By("mandate", m.ID) {
			s.Coll.Remove(s)
		}
	}
	for _, a := range st.Coll("customer_bank_accounts").By("customer", c.ID) {
		a.Set("enabled", false)
	}
	for i := range c.Coll.Spec.Fields {
		switch c.Coll.Spec.Fields[i].Name {
		case "id", "created_at":
		default:
			c.Vals[i] = nil
		}
	}
	c.Coll.Remove(c)
	if tx.sb.opts.removalBody {
		return result{rec: c, status: 200}, nil
	}
	return result{empty: true}, nil
}

// customerName returns the name of a customer.
func customerName(c *record) string {
	if n := c.Str("company_name"); n != "" {
		return n
	}
	return strings.TrimSpace(c.Str("given_name") + " " + c.Str("family_name"))
}
