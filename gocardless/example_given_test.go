package gocardless_test

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/gocardless-community/gocardless-go/gocardless"
	"github.com/gocardless-community/gocardless-go/gocardless/gocardlesstest"
)

// The functions here prepare the sandbox for the generated examples. givenMandate, for example,
// returns a client whose sandbox has a mandate, and the mandate's id.

// exampleDay is the time on the sandbox's clock when an example starts: a Monday.
var exampleDay = time.Date(2026, time.September, 14, 10, 0, 0, 0, time.UTC)

// given is a sandbox that is being prepared.
type given struct {
	sandbox *gocardlesstest.Sandbox
	*gocardless.Client
}

func newGiven(opts ...gocardlesstest.Option) given {
	sandbox := gocardlesstest.New(append(opts, gocardlesstest.WithFrozenClock(exampleDay))...)
	return given{sandbox, sandbox.Client()}
}

// exampleClient is the client of examples that need nothing in the sandbox. In a program the client
// comes from New or NewFromEnv.
func exampleClient() *gocardless.Client { return newGiven().Client }

// must returns the result of a call that prepares an example.
func must[T any](result T, err error) T {
	if err != nil {
		log.Panic(err)
	}
	return result
}

// first returns the first item of a list.
func first[T any](page *gocardless.Page[T], err error) *T { return must(page, err).Items[0] }

func givenCreditor(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.creditor(ctx)
}

func (g given) creditor(ctx context.Context) string {
	return first(g.Creditors.List(ctx, gocardless.CreditorListParams{})).ID
}

func givenCreditorAccount(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, first(g.CreditorBankAccounts.List(ctx, gocardless.CreditorBankAccountListParams{})).ID
}

func givenSchemeIdentifier(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, first(g.SchemeIdentifiers.List(ctx, gocardless.SchemeIdentifierListParams{})).ID
}

func givenCustomer(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.customer(ctx)
}

func (g given) customer(ctx context.Context) string {
	return must(g.Customers.Create(ctx, gocardless.CustomerCreateParams{
		GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com"), CountryCode: new("GB"),
	})).ID
}

func givenAccount(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.account(ctx)
}

func (g given) account(ctx context.Context) string {
	return must(g.CustomerBankAccounts.Create(ctx, gocardless.CustomerBankAccountCreateParams{
		AccountHolderName: new("Ada Lovelace"), BranchCode: new("200000"), AccountNumber: new("55779911"), CountryCode: new("GB"),
		Links: gocardless.CustomerBankAccountCreateParamsLinks{Customer: g.customer(ctx)},
	})).ID
}

func givenToken(ctx context.Context) (*gocardless.Client, string) {
	client := exampleClient()
	token := must(client.CustomerBankAccountTokens.Create(ctx, gocardless.CustomerBankAccountTokenCreateParams{
		AccountHolderName: "Ada Lovelace", BranchCode: new("200000"), AccountNumber: new("55779911"), CountryCode: new("GB"),
	}))
	return client, token.ID
}

func givenCreditorAndAccount(ctx context.Context) (client *gocardless.Client, creditorID, accountID string) {
	g := newGiven()
	return g.Client, g.creditor(ctx), g.account(ctx)
}

func givenVerification(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	v := must(g.BankAccountHolderVerifications.Create(ctx, gocardless.BankAccountHolderVerificationCreateParams{
		Type:  gocardless.AccountHolderVerificationTypeConfirmationOfPayee,
		Links: gocardless.BankAccountHolderVerificationCreateParamsLinks{BankAccount: g.account(ctx)},
	}))
	g.sandbox.Advance(time.Minute)
	return g.Client, v.ID
}

func givenCompanyDetails(ctx context.Context) (*gocardless.Client, string) {
	client, creditorID := givenCreditor(ctx)
	must(client.VerificationDetails.Create(ctx, gocardless.VerificationDetailCreateParams{
		Name: "Acme Ltd", CompanyNumber: "07495895", Description: "Wine importer", AddressLine1: "338-346 Goswell Road", City: "London", PostalCode: "EC1V 7LQ",
		Directors: []gocardless.DirectorParams{{GivenName: new("Ada"), FamilyName: new("Lovelace"), DateOfBirth: new(gocardless.Date{Year: 1980, Month: 12, Day: 10}),
			Street: new("1 Street"), City: new("London"), PostalCode: new("EC1V 7LQ"), CountryCode: new("GB")}},
		Links: gocardless.VerificationDetailCreateParamsLinks{Creditor: creditorID},
	}))
	return client, creditorID
}

func givenMandate(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.mandate(ctx)
}

func (g given) mandate(ctx context.Context) string {
	return must(g.Mandates.Create(ctx, gocardless.MandateCreateParams{
		Scheme: new(gocardless.SchemeBacs),
		Links:  gocardless.MandateCreateParamsLinks{CustomerBankAccount: g.account(ctx)},
	})).ID
}

func givenCancelledMandate(ctx context.Context) (*gocardless.Client, string) {
	client, id := givenMandate(ctx)
	must(client.Mandates.Cancel(ctx, id, gocardless.MandateCancelParams{}))
	return client, id
}

func givenTransferredMandate(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.mandate(ctx)
	g.simulate(ctx, gocardless.SimulatorMandateTransferred, id)
	return g.Client, id
}

// simulate runs a scenario simulator.
func (g given) simulate(ctx context.Context, simulator, id string) {
	must(g.ScenarioSimulators.Run(ctx, simulator, gocardless.ScenarioSimulatorRunParams{
		Links: &gocardless.ScenarioSimulatorRunParamsLinks{Resource: id},
	}))
}

// The ids of customer notifications come in webhooks alone.
func givenNotification(ctx context.Context) (client *gocardless.Client, notificationID string) {
	handler := must(gocardless.NewWebhookHandler(gocardless.EventHandlerFunc(func(_ context.Context, event gocardless.Event) error {
		for _, n := range event.CustomerNotifications {
			notificationID = n.ID
		}
		return nil
	}), "secret"))
	g := newGiven(gocardlesstest.WithCustomerNotifications(), gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{Handler: handler, Secret: "secret"}))
	g.mandate(ctx)
	g.sandbox.FlushWebhooks()
	return g.Client, notificationID
}

func givenPayment(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.payment(ctx)
}

func (g given) payment(ctx context.Context) string {
	return must(g.Payments.Create(ctx, gocardless.PaymentCreateParams{
		Amount: 1500, Currency: gocardless.CurrencyGBP, Description: new("October membership"),
		Links: gocardless.PaymentCreateParamsLinks{Mandate: g.mandate(ctx)},
	})).ID
}

func givenFailedPayment(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.activePayment(ctx)
	g.simulate(ctx, gocardless.SimulatorPaymentFailed, id)
	return g.Client, id
}

// An active payment's mandate is active, too.
func givenActivePayment(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.activePayment(ctx)
}

func (g given) activePayment(ctx context.Context) string {
	id := g.payment(ctx)
	payment := must(g.Payments.Get(ctx, id))
	g.simulate(ctx, gocardless.SimulatorMandateActivated, payment.Links.Mandate)
	return id
}

func givenPaidPayment(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.paidPayment(ctx)
}

func (g given) paidPayment(ctx context.Context) string {
	id := g.payment(ctx)
	g.sandbox.Advance(14 * 24 * time.Hour)
	return id
}

func givenPayout(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	g.paidPayment(ctx)
	return g.Client, first(g.Payouts.List(ctx, gocardless.PayoutListParams{})).ID
}

func givenRefund(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, must(g.Refunds.Create(ctx, gocardless.RefundCreateParams{
		Amount: 500, TotalAmountConfirmation: new(int64(500)),
		Links: gocardless.RefundCreateParamsLinks{Payment: new(g.paidPayment(ctx))},
	})).ID
}

func givenSubscription(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, must(g.Subscriptions.Create(ctx, gocardless.SubscriptionCreateParams{
		Amount: 900, Currency: gocardless.CurrencyGBP, Name: new("Club"), IntervalUnit: gocardless.IntervalUnitMonthly,
		Links: gocardless.SubscriptionCreateParamsLinks{Mandate: g.mandate(ctx)},
	})).ID
}

func givenPausedSubscription(ctx context.Context) (*gocardless.Client, string) {
	client, id := givenSubscription(ctx)
	must(client.Subscriptions.Pause(ctx, id, gocardless.SubscriptionPauseParams{}))
	return client, id
}

func givenSchedule(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := must(g.InstalmentSchedules.CreateWithDates(ctx, gocardless.InstalmentScheduleCreateWithDatesParams{
		Name: "Invoice 20417", Currency: gocardless.CurrencyGBP, TotalAmount: 3000,
		Instalments: []gocardless.DatedInstalmentParams{
			{Amount: new(int64(1000)), ChargeDate: new(gocardless.Date{Year: 2026, Month: 10, Day: 1})},
			{Amount: new(int64(2000)), ChargeDate: new(gocardless.Date{Year: 2026, Month: 11, Day: 2})},
		},
		Links: gocardless.InstalmentScheduleCreateWithDatesParamsLinks{Mandate: g.mandate(ctx)},
	})).ID
	g.sandbox.Advance(time.Minute)
	return g.Client, id
}

func givenBillingRequest(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.billingRequest(ctx)
}

func (g given) billingRequest(ctx context.Context) string {
	return must(g.BillingRequests.Create(ctx, gocardless.BillingRequestCreateParams{
		MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{Scheme: new(gocardless.SchemeBacs)},
	})).ID
}

// An open request leaves the currency to the payer.
func givenOpenRequest(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, must(g.BillingRequests.Create(ctx, gocardless.BillingRequestCreateParams{
		MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{},
	})).ID
}

// A fallback request asks for an instant payment, and takes a direct debit instead if need be.
func givenFallbackRequest(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.instantRequest(ctx)
}

func (g given) instantRequest(ctx context.Context) string {
	return must(g.BillingRequests.Create(ctx, gocardless.BillingRequestCreateParams{
		FallbackEnabled: new(true),
		PaymentRequest: &gocardless.BillingRequestCreateParamsPaymentRequest{
			Amount: new(int64(1500)), Currency: new(gocardless.CurrencyGBP), Description: new("First month"),
		},
		MandateRequest: &gocardless.BillingRequestCreateParamsMandateRequest{Scheme: new(gocardless.SchemeBacs)},
	})).ID
}

func givenInstantRequest(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.instantRequest(ctx)
	g.collectDetails(ctx, id)
	return g.Client, id
}

// collectDetails enters the payer's details, as a form of one's own would.
func (g given) collectDetails(ctx context.Context, id string) {
	must(g.BillingRequests.CollectCustomerDetails(ctx, id, gocardless.BillingRequestCollectCustomerDetailsParams{
		Customer: &gocardless.BillingRequestCollectCustomerDetailsParamsCustomer{
			GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com")},
		CustomerBillingDetail: &gocardless.BillingRequestCollectCustomerDetailsParamsCustomerBillingDetail{
			AddressLine1: new("1 Street"), City: new("London"), PostalCode: new("EC1V 7LQ"), CountryCode: new("GB")},
	}))
}

// collectAccount enters the payer's bank account.
func (g given) collectAccount(ctx context.Context, id string) {
	must(g.BillingRequests.CollectBankAccount(ctx, id, gocardless.BillingRequestCollectBankAccountParams{
		AccountHolderName: new("Ada Lovelace"), BranchCode: new("200000"), AccountNumber: new("55779911"), CountryCode: new("GB"),
	}))
}

func givenRequestWithCustomer(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.billingRequest(ctx)
	g.collectDetails(ctx, id)
	return g.Client, id
}

func givenRequestWithAccount(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.billingRequest(ctx)
	g.collectDetails(ctx, id)
	g.collectAccount(ctx, id)
	return g.Client, id
}

func givenReadyRequest(ctx context.Context) (*gocardless.Client, string) {
	client, id := givenRequestWithAccount(ctx)
	must(client.BillingRequests.ConfirmPayerDetails(ctx, id, gocardless.BillingRequestConfirmPayerDetailsParams{}))
	return client, id
}

func givenFlow(ctx context.Context) (*gocardless.Client, string) {
	client, id := givenBillingRequest(ctx)
	return client, must(client.BillingRequestFlows.Create(ctx, gocardless.BillingRequestFlowCreateParams{
		RedirectURI: new("https://shop.example.com/welcome"),
		Links:       gocardless.BillingRequestFlowCreateParamsLinks{BillingRequest: id},
	})).ID
}

func givenTemplate(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, must(g.BillingRequestTemplates.Create(ctx, gocardless.BillingRequestTemplateCreateParams{
		Name: new("Club"), MandateRequestCurrency: new(gocardless.CurrencyGBP),
	})).ID
}

func givenBankAuthorisation(ctx context.Context) (*gocardless.Client, string) {
	client, id := givenAuthorisableRequest(ctx)
	return client, must(client.BankAuthorisations.Create(ctx, gocardless.BankAuthorisationCreateParams{
		RedirectURI: new("https://shop.example.com/done"),
		Links:       gocardless.BankAuthorisationCreateParamsLinks{BillingRequest: new(id)},
	})).ID
}

// An authorisable request needs the payer's consent at their bank, and nothing else.
func givenAuthorisableRequest(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.instantRequest(ctx)
	g.collectDetails(ctx, id)
	g.collectAccount(ctx, id)
	must(g.BillingRequests.SelectInstitution(ctx, id, gocardless.BillingRequestSelectInstitutionParams{
		CountryCode: "GB", Institution: first(g.Institutions.List(ctx, gocardless.InstitutionListParams{CountryCode: "GB"})).ID,
	}))
	must(g.BillingRequests.ConfirmPayerDetails(ctx, id, gocardless.BillingRequestConfirmPayerDetailsParams{}))
	return g.Client, id
}

func givenBlock(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, must(g.Blocks.Create(ctx, gocardless.BlockCreateParams{
		BlockType: new(gocardless.BlockTypeEmail), ReasonType: new(gocardless.BlockReasonTypeIdentityFraud), ResourceReference: new("bad@example.com"),
	})).ID
}

func givenDisabledBlock(ctx context.Context) (*gocardless.Client, string) {
	client, id := givenBlock(ctx)
	must(client.Blocks.Disable(ctx, id))
	return client, id
}

func givenEvent(ctx context.Context) (*gocardless.Client, string) {
	client, id := givenPayment(ctx)
	return client, first(client.Events.List(ctx, gocardless.EventListParams{Payment: id})).ID
}

func givenExport(ctx context.Context) (*gocardless.Client, string) {
	client := exampleClient()
	return client, first(client.Exports.List(ctx, gocardless.ExportListParams{})).ID
}

func givenWebhook(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven(gocardlesstest.WithWebhooks(gocardlesstest.Webhooks{Handler: http.HandlerFunc(accept), Secret: "secret"}))
	g.mandate(ctx)
	g.sandbox.FlushWebhooks()
	return g.Client, first(g.Webhooks.List(ctx, gocardless.WebhookListParams{})).ID
}

func givenMandateImport(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.mandateImport(ctx)
}

func (g given) mandateImport(ctx context.Context) string {
	return must(g.MandateImports.Create(ctx, gocardless.MandateImportCreateParams{Scheme: gocardless.SchemeBacs})).ID
}

func givenFilledMandateImport(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.mandateImport(ctx)
	must(g.MandateImportEntries.Create(ctx, gocardless.MandateImportEntryCreateParams{
		RecordIdentifier: new("row 1"),
		Customer: gocardless.MandateImportEntryCreateParamsCustomer{GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com"),
			AddressLine1: new("1 Street"), City: new("London"), PostalCode: new("EC1V 7LQ"), CountryCode: new("GB")},
		BankAccount: gocardless.MandateImportEntryCreateParamsBankAccount{AccountHolderName: "Ada Lovelace", BranchCode: new("200000"), AccountNumber: new("55779911"), CountryCode: new("GB")},
		Links:       gocardless.MandateImportEntryCreateParamsLinks{MandateImport: id},
	}))
	return g.Client, id
}

func givenOutboundPayment(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.outboundPayment(ctx)
}

// A verified payment waits for approval.
func givenVerifiedOutboundPayment(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.outboundPayment(ctx)
	g.sandbox.Advance(time.Minute)
	return g.Client, id
}

func (g given) outboundPayment(ctx context.Context) string {
	return must(g.OutboundPayments.Create(ctx, gocardless.OutboundPaymentCreateParams{
		Amount: 2500, Scheme: "faster_payments", Description: new("Prize"),
		Links: gocardless.OutboundPaymentCreateParamsLinks{Creditor: new(g.creditor(ctx)), RecipientBankAccount: g.account(ctx)},
	})).ID
}

func givenOutboundImport(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, must(g.OutboundPaymentImports.Create(ctx, gocardless.OutboundPaymentImportCreateParams{
		EntryItems: []gocardless.OutboundPaymentImportCreateParamsEntryItem{{
			Amount: 2500, Scheme: "faster_payments", RecipientBankAccountID: g.account(ctx),
		}},
		Links: &gocardless.OutboundPaymentImportCreateParamsLinks{Creditor: new(g.creditor(ctx))},
	})).ID
}

func givenPaymentAccount(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, first(g.PaymentAccounts.List(ctx, gocardless.PaymentAccountListParams{})).ID
}

func givenTransaction(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	account := first(g.PaymentAccounts.List(ctx, gocardless.PaymentAccountListParams{})).ID
	return g.Client, first(g.PaymentAccountTransactions.List(ctx, account, gocardless.PaymentAccountTransactionListParams{
		ValueDateFrom: "2026-09-01", ValueDateTo: "2026-09-30",
	})).ID
}

func givenPayerAuthorisation(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, must(g.PayerAuthorisations.Create(ctx, gocardless.PayerAuthorisationCreateParams{
		Customer: gocardless.PayerAuthorisationCustomerParams{GivenName: new("Ada"), FamilyName: new("Lovelace"), Email: new("ada@example.com"),
			AddressLine1: new("1 Street"), City: new("London"), PostalCode: new("EC1V 7LQ"), CountryCode: new("GB")},
		BankAccount: gocardless.PayerAuthorisationBankAccountParams{AccountHolderName: new("Ada Lovelace"), BranchCode: new("200000"), AccountNumber: new("55779911"), CountryCode: new("GB")},
		Mandate:     gocardless.PayerAuthorisationMandateParams{Scheme: new(gocardless.SchemeBacs)},
	})).ID
}

func givenSubmittedPayerAuthorisation(ctx context.Context) (*gocardless.Client, string) {
	client, id := givenPayerAuthorisation(ctx)
	must(client.PayerAuthorisations.Submit(ctx, id))
	return client, id
}

func givenRedirectFlow(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	return g.Client, g.redirectFlow(ctx)
}

func (g given) redirectFlow(ctx context.Context) string {
	return must(g.RedirectFlows.Create(ctx, gocardless.RedirectFlowCreateParams{
		SessionToken: "session", SuccessRedirectURL: "https://shop.example.com/welcome", Description: new("Club"),
	})).ID
}

func givenFinishedRedirectFlow(ctx context.Context) (*gocardless.Client, string) {
	g := newGiven()
	id := g.redirectFlow(ctx)
	must(g.sandbox.FinishRedirectFlow(id, gocardlesstest.TestPayer))
	return g.Client, id
}

// accept answers every webhook.
func accept(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
