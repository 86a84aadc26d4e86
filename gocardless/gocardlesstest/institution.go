package gocardlesstest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/bank"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest/internal/store"
)

// Institutions: the banks that a payer can choose. The real list changes every week; this one is short
// and mostly invented, and contains every case that a program has to handle.

// institution is a bank.
type institution struct {
	id, name, country string
	schemes           []string
	roles             []string
	status            string
	passesAccount     bool   // the bank provides the payer's account (autocompletes_collect_bank_account)
	sortCodes         string // first digits of its sort codes
	single, daily     int64  // limits of a personal account in minor units; 0 is none
}

var institutions = []institution{
	{id: "read_bank_gb", name: "Read Bank", country: "GB", schemes: []string{"faster_payments"}, roles: []string{"pis", "ais", "vrp_sweeping"}, status: "enabled", sortCodes: "20", single: 25_000_00, daily: 50_000_00},
	{id: "sand_bank_gb", name: "Sand Bank", country: "GB", schemes: []string{"faster_payments"}, roles: []string{"pis", "ais", "vrp_sweeping", "vrp_commercial"}, status: "enabled", passesAccount: true, sortCodes: "60", single: 10_000_00, daily: 25_000_00},
	{id: "monzo", name: "Monzo", country: "GB", schemes: []string{"faster_payments"}, roles: []string{"pis", "ais"}, status: "enabled", passesAccount: true, sortCodes: "04", single: 10_000_00, daily: 10_000_00},
	{id: "harbour_building_society_gb", name: "Harbour Building Society", country: "GB", schemes: []string{"faster_payments"}, roles: []string{"pis"}, status: "enabled", sortCodes: "40"},
	{id: "slate_bank_gb", name: "Slate Bank", country: "GB", schemes: []string{"faster_payments"}, roles: []string{"pis", "ais"}, status: "temporarily_disabled", sortCodes: "77"},
	{id: "former_bank_gb", name: "Former Bank", country: "GB", schemes: []string{"faster_payments"}, roles: []string{"pis"}, status: "disabled", sortCodes: "88"},
	{id: "banque_du_sable_fr", name: "Banque du Sable", country: "FR", schemes: []string{"sepa_credit_transfer", "sepa_instant_credit_transfer"}, roles: []string{"pis", "ais"}, status: "enabled", passesAccount: true},
	{id: "credit_riverain_fr", name: "Crédit Riverain", country: "FR", schemes: []string{"sepa_credit_transfer"}, roles: []string{"pis", "ais"}, status: "enabled"},
	{id: "sandbank_de", name: "Sandbank", country: "DE", schemes: []string{"sepa_credit_transfer", "sepa_instant_credit_transfer"}, roles: []string{"pis", "ais"}, status: "enabled", passesAccount: true},
	{id: "uferkasse_de", name: "Uferkasse", country: "DE", schemes: []string{"sepa_credit_transfer"}, roles: []string{"pis"}, status: "temporarily_disabled"},
	{id: "banco_de_arena_es", name: "Banco de Arena", country: "ES", schemes: []string{"sepa_credit_transfer"}, roles: []string{"pis", "ais"}, status: "enabled"},
	{id: "zandbank_nl", name: "Zandbank", country: "NL", schemes: []string{"sepa_credit_transfer", "sepa_instant_credit_transfer"}, roles: []string{"pis", "ais"}, status: "enabled", passesAccount: true},
	{id: "strand_bank_ie", name: "Strand Bank", country: "IE", schemes: []string{"sepa_credit_transfer"}, roles: []string{"pis", "ais"}, status: "enabled"},
}

func institutionFamily(r *registry) {
	r.on("institutions.list", listInstitutions)
	r.owner("institutions.list_for_billing_request", "billing_requests")
	r.on("institutions.list_for_billing_request", listInstitutionsFor)
}

// institutionOf finds a bank by its id, or returns nil.
func institutionOf(id string) *institution {
	i := slices.IndexFunc(institutions, func(in institution) bool { return in.id == id })
	if i < 0 {
		return nil
	}
	return &institutions[i]
}

func (in *institution) object() object {
	o := object{
		{"id", in.id}, {"name", in.name}, {"country_code", in.country}, {"status", in.status}, {"roles", texts(in.roles)},
		{"autocompletes_collect_bank_account", in.passesAccount},
		{"icon_url", "https://assets.example.com/institutions/" + in.id + "/icon.png"},
		{"logo_url", "https://assets.example.com/institutions/" + in.id + "/logo.png"},
	}
	if in.single > 0 {
		o = append(o, member{"limits", object{
			{"single", object{{"personal", in.single}, {"business", 2 * in.single}}},
			{"daily", object{{"personal", in.daily}, {"business", 2 * in.daily}}},
		}})
	}
	return o
}

// institutionListing lists the banks that pass a test. These lists have no cursors.
func institutionListing(tx *tx, keep func(*institution) bool) (result, error) {
	p := &store.Listing{Limit: store.MaxLimit, Bare: !tx.sb.opts.listMeta, Objs: []object{}}
	for i := range institutions {
		if in := &institutions[i]; keep(in) {
			p.Objs = append(p.Objs, in.object())
		}
	}
	return result{listing: p}, nil
}

func listInstitutions(tx *tx) (result, error) {
	country := cmp.Or(tx.query.Get("country_code"), "GB")
	feature := cmp.Or(tx.query.Get("feature"), "pis")
	schemes := strings.Split(cmp.Or(tx.query.Get("scheme"), "faster_payments"), ",")
	branch := bank.Separators.Replace(tx.query.Get("branch_code"))
	return institutionListing(tx, func(in *institution) bool {
		return in.status == "enabled" && in.country == country && slices.Contains(in.roles, feature) && slices.ContainsFunc(in.schemes, func(s string) bool { return slices.Contains(schemes, s) }) &&
			(branch == "" || in.sortCodes != "" && strings.HasPrefix(branch, in.sortCodes))
	})
}

// listInstitutionsFor lists the banks that can serve a billing request.
func listInstitutionsFor(tx *tx) (result, error) {
	b := tx.openBilling(tx.target)
	country := tx.query.Get("country_code")
	var ids []string
	if v := tx.query.Get("ids"); v != "" {
		ids = strings.Split(v, ",")
	}
	search := strings.ToLower(tx.query.Get("search"))
	disabled := tx.query.Get("include_disabled") == "true"
	return institutionListing(tx, func(in *institution) bool {
		return in.country == country && b.canUse(in) &&
			(in.status == "enabled" || disabled && in.status == "temporarily_disabled") &&
			(ids == nil || slices.Contains(ids, in.id)) && strings.Contains(strings.ToLower(in.name), search)
	})
}

// canUse reports whether a bank supports what the request needs.
func (b *billing) canUse(in *institution) bool {
	switch adapter, _, _ := b.adapter(); adapter {
	case "open_banking_gateway_pis":
		if !b.instant() {
			return slices.Contains(in.roles, "vrp_sweeping")
		}
		return slices.Contains(in.roles, "pis") && slices.Contains(in.schemes, b.payment.Str("scheme"))
	case "open_banking_gateway_ais":
		return in.country == "GB" && slices.Contains(in.roles, "ais")
	}
	return false
}
