package compare

import (
	"slices"
	"strings"
	"testing"

	"github.com/gocardless-community/gocardless-go/internal/apichange/openapi"
	"github.com/gocardless-community/gocardless-go/internal/jsontree"
	"github.com/gocardless-community/gocardless-go/internal/testmodule"
)

// part returns a document with only some of its paths, to make many comparisons faster.
func part(t testing.TB) *jsontree.Value {
	t.Helper()
	return testmodule.Part(fixed(), func(path string) bool {
		return slices.ContainsFunc([]string{"/payments", "/subscriptions", "/instalment_schedules", "/bank_account_details", "/billing_requests"}, func(keep string) bool {
			return path == keep || keep != "/billing_requests" && strings.HasPrefix(path, keep+"/{")
		})
	})
}

// edit changes a document. It fails the test if a pointer leads nowhere, so that no case passes because nothing
// changed.
type edit struct {
	t    *testing.T
	root *jsontree.Value
}

func (e edit) at(pointer string) *jsontree.Value {
	e.t.Helper()
	v := e.root.At(pointer)
	if v == nil {
		e.t.Fatalf("%s is not in the document", pointer)
	}
	return v
}

func (e edit) json(text string) *jsontree.Value {
	e.t.Helper()
	v, err := jsontree.Parse([]byte(text))
	if err != nil {
		e.t.Fatal(err)
	}
	return v
}

// set sets a member of an object.
func (e edit) set(pointer, name, text string) { e.at(pointer).Set(name, e.json(text)) }

// remove removes a member of an object.
func (e edit) remove(pointer, name string) {
	e.at(jsontree.Join(pointer, name))
	e.at(pointer).Delete(name)
}

// rename changes the name of a member in place.
func (e edit) rename(pointer, old, revised string) {
	v := e.at(pointer)
	for i := range v.Members {
		if v.Members[i].Name == old {
			v.Members[i].Name = revised
			return
		}
	}
	e.t.Fatalf("%s has no %s", pointer, old)
}

// append adds to an array.
func (e edit) append(pointer, text string) {
	v := e.at(pointer)
	v.Items = append(v.Items, e.json(text))
}

// drop removes a string from an array.
func (e edit) drop(pointer, value string) {
	v := e.at(pointer)
	n := len(v.Items)
	v.Items = slices.DeleteFunc(v.Items, func(i *jsontree.Value) bool { return i.Str() == value })
	if len(v.Items) == n {
		e.t.Fatalf("%s has no %s", pointer, value)
	}
}

// param finds a query parameter of an operation.
func (e edit) param(operation, name string) *jsontree.Value {
	for _, p := range e.at(operation + "/parameters").Items {
		if p.Get("name").Str() == name {
			return p
		}
	}
	e.t.Fatalf("%s has no parameter %s", operation, name)
	return nil
}

const (
	schemas  = "/components/schemas"
	create   = schemas + "/PaymentCreateParams"
	payment  = schemas + "/Payment"
	pay      = "/paths/~1payments/post"
	payList  = "/paths/~1payments/get"
	mandates = schemas + "/BillingRequestCreateParamsMandateRequest"
)

var mutations = []struct {
	name  string
	edit  func(e edit)
	class Class // the most severe; 0 for no change at all
	code  string
	text  string
}{
	// Operations.
	{"operation removed", func(e edit) { e.remove("/paths/~1payments~1{identity}~1actions~1retry", "post") }, Breaking, "operation-removed", "client.Payments.Retry was removed"},
	{"path removed", func(e edit) { e.remove("/paths", "/subscriptions/{identity}/actions/pause") }, Breaking, "operation-removed", "client.Subscriptions.Pause was removed"},
	{"operation added", func(e edit) {
		v := e.at("/paths/~1payments~1{identity}~1actions~1retry").Clone()
		v.Get("post").Set("operationId", jsontree.NewString("payments.hold"))
		e.at("/paths").Set("/payments/{identity}/actions/hold", v)
	}, Addition, "operation-added", "client.Payments.Hold was added (POST /payments/{identity}/actions/hold)"},
	{"operation renamed", func(e edit) {
		e.at("/paths/~1payments~1{identity}~1actions~1retry/post").Set("operationId", jsontree.NewString("payments.resubmit"))
	}, Breaking, "operation-renamed", "client.Payments.Retry is now called client.Payments.Resubmit"},
	{"operation moved", func(e edit) {
		e.rename("/paths", "/payments/{identity}/actions/retry", "/payments/{identity}/actions/try_again")
	}, Breaking, "operation-moved", "client.Payments.Retry moved"},
	{"method changed", func(e edit) { e.rename("/paths/~1payments~1{identity}", "put", "patch") }, Breaking, "operation-moved", "client.Payments.Update moved from PUT /payments/{identity} to PATCH"},
	{"path parameter renamed", func(e edit) {
		e.rename("/paths", "/payments/{identity}", "/payments/{id}")
		for _, m := range []string{"get", "put"} {
			e.param("/paths/~1payments~1{id}/"+m, "identity").Set("name", jsontree.NewString("id"))
		}
	}, 0, "", ""},
	{"operation deprecated", func(e edit) { e.set(pay, "deprecated", "true") }, Behaviour, "operation-deprecated", "client.Payments.Create is deprecated"},
	{"operation restricted", func(e edit) { e.set(pay, "x-restricted", "true") }, Behaviour, "restricted", "client.Payments.Create must be enabled"},
	{"idempotency key dropped", func(e edit) { e.remove(pay, "parameters") }, Behaviour, "idempotency-changed", "client.Payments.Create no longer takes an idempotency key"},
	{"operation reworded", func(e edit) { e.set(pay, "description", `"Makes a payment."`) }, Documentation, "documentation-changed", "The documentation of client.Payments.Create changed"},
	{"operation rewrapped", func(e edit) {
		e.at(pay).Set("summary", jsontree.NewString("Create  a\n payment"))
	}, 0, "", ""},
	{"operationId dropped", func(e edit) { e.remove(pay, "operationId") }, 0, "", ""},
	{"variant removed", func(e edit) {
		v := e.at("/paths/~1instalment_schedules/post")
		v.Get("x-variants").Items = v.Get("x-variants").Items[:1]
		oneOf := e.at("/paths/~1instalment_schedules/post/requestBody/content/application~1json/schema/properties/instalment_schedules/oneOf")
		oneOf.Items = oneOf.Items[:1]
	}, Breaking, "variant-removed", "client.InstalmentSchedules.CreateWithSchedule was removed"},

	// Requests.
	{"optional request field added", func(e edit) { e.set(create+"/properties", "purpose", `{"type": "string"}`) }, Addition, "field-added", "PaymentCreateParams.Purpose (`purpose`) was added"},
	{"required request field added", func(e edit) {
		e.set(create+"/properties", "purpose", `{"type": "string"}`)
		e.append(create+"/required", `"purpose"`)
	}, Breaking, "request-field-added-required", "PaymentCreateParams.Purpose (`purpose`) was added and is required"},
	{"request field removed", func(e edit) { e.remove(create+"/properties", "app_fee") }, Breaking, "request-field-removed", "PaymentCreateParams.AppFee (`app_fee`) was removed"},
	{"request field renamed", func(e edit) { e.rename(create+"/properties", "app_fee", "application_fee") }, Breaking, "request-field-removed", "PaymentCreateParams.AppFee"},
	{"request field became required", func(e edit) { e.append(create+"/required", `"reference"`) }, Breaking, "became-required", "its type changed from *string to string"},
	{"request field became optional", func(e edit) { e.drop(create+"/required", "amount") }, Breaking, "became-optional", "its type changed from int64 to *int64"},
	{"nested request field removed", func(e edit) { e.set(create+"Links", "required", `[]`); e.remove(create+"Links/properties", "mandate") }, Breaking, "request-field-removed", "PaymentCreateParamsLinks.Mandate"},
	{"request type changed", func(e edit) { e.set(create+"/properties/reference", "type", `"integer"`) }, Breaking, "type-changed", "from *string to *int"},
	{"money lost its format", func(e edit) { e.remove(create+"/properties/amount", "format") }, Breaking, "type-changed", "from int64 to int"},
	{"money became a fraction", func(e edit) { e.set(create+"/properties/app_fee", "type", `"number"`) }, Breaking, "type-changed", "from *int64 to *float64"},
	{"date became text", func(e edit) { e.remove(create+"/properties/charge_date", "format") }, Breaking, "type-changed", "from *Date to *string"},
	{"enum became text", func(e edit) {
		e.remove(create+"/properties/currency", "$ref")
		e.set(create+"/properties/currency", "type", `"string"`)
	}, Breaking, "type-changed", "from Currency to string"},
	{"maximum length lowered", func(e edit) { e.set(schemas+"/SubscriptionCreateParams/properties/name", "maxLength", "100") }, Breaking, "limit-tightened", "SubscriptionCreateParams.Name (`name`) must now have at most 100 characters; before, it had to have at most 255 characters"},
	{"maximum length raised", func(e edit) { e.set(schemas+"/SubscriptionCreateParams/properties/name", "maxLength", "300") }, Behaviour, "limit-loosened", "must now have at most 300 characters"},
	{"maximum length dropped", func(e edit) { e.remove(schemas+"/SubscriptionCreateParams/properties/name", "maxLength") }, Behaviour, "limit-loosened", "no longer has to have at most 255 characters"},
	{"minimum raised", func(e edit) { e.set(schemas+"/SubscriptionCreateParams/properties/interval", "minimum", "2") }, Breaking, "limit-tightened", "must now be at least 2"},
	{"pattern added", func(e edit) { e.set(create+"/properties/reference", "pattern", `"^[A-Z]+$"`) }, Breaking, "limit-tightened", "must now have the form"},
	{"metadata allows fewer keys", func(e edit) { e.set(schemas+"/Metadata", "maxProperties", "2") }, Breaking, "limit-tightened", "must now have at most 2 members"},
	{"metadata allows shorter keys", func(e edit) { e.set(schemas+"/Metadata/propertyNames", "maxLength", "20") }, Breaking, "limit-tightened", "propertyNames/maxLength"},
	{"metadata allows longer values", func(e edit) { e.set(schemas+"/Metadata/additionalProperties", "maxLength", "900") }, Behaviour, "limit-loosened", "additionalProperties/maxLength"},
	{"default changed", func(e edit) { e.set(schemas+"/SubscriptionCreateParams/properties/interval", "default", "2") }, Behaviour, "default-changed", "from 1 to 2"},
	{"request null refused", func(e edit) { e.set(mandates+"/properties/description", "type", `"string"`) }, Breaking, "request-null-refused", "may no longer be null"},
	{"request null allowed", func(e edit) { e.set(create+"/properties/reference", "type", `["string", "null"]`) }, Addition, "request-null-allowed", "may be sent as null"},
	{"request enum value removed", func(e edit) {
		e.drop(schemas+"/PSUInteractionType/enum", "off_session")
		e.remove(schemas+"/PSUInteractionType/x-enum-descriptions", "off_session")
	}, Breaking, "enum-value-removed", "PSUInteractionTypeOffSession"},
	{"request enum value added", func(e edit) { e.append(schemas+"/PSUInteractionType/enum", `"by_post"`) }, Addition, "enum-value-added", "PSUInteractionType has a new value PSUInteractionTypeByPost"},
	{"request envelope renamed", func(e edit) {
		s := pay + "/requestBody/content/application~1json/schema"
		e.rename(s+"/properties", "payments", "payment")
		e.set(s, "required", `["payment"]`)
	}, Breaking, "envelope-changed", "wrapped in `payment` instead of `payments`"},
	{"request body dropped", func(e edit) { e.remove("/paths/~1payments~1{identity}~1actions~1cancel/post", "requestBody") }, Breaking, "signature-changed", "client.Payments.Cancel no longer takes params"},
	{"params type renamed", func(e edit) {
		e.rename(schemas, "PaymentCreateParams", "PaymentNewParams")
		e.set(pay+"/requestBody/content/application~1json/schema/properties/payments", "$ref", `"#/components/schemas/PaymentNewParams"`)
	}, Breaking, "type-renamed", "The type PaymentCreateParams is now called PaymentNewParams"},
	{"required in more cases", func(e edit) {
		e.set(schemas+"/SubscriptionCreateParams/properties/month", "x-required-when", `"always"`)
	}, Behaviour, "required-when-changed", "is required when: always"},

	{"request may come without its envelope", func(e edit) {
		e.remove(pay+"/requestBody/content/application~1json/schema", "required")
	}, Documentation, "envelope-required-changed", "The request body of client.Payments.Create may now omit `payments`"},
	{"params need more members", func(e edit) { e.set(create, "minProperties", "4") }, Breaking, "limit-tightened", "PaymentCreateParams must now have at least 4 members"},
	{"request object replaced", func(e edit) {
		e.set(create+"/properties", "links", `{"$ref": "#/components/schemas/PaymentLinks"}`)
	}, Breaking, "type-renamed", "The type PaymentCreateParamsLinks is now called PaymentLinksParams"},
	{"limit beside a reference", func(e edit) { e.set(create+"/properties/metadata", "maxProperties", "2") }, Breaking, "limit-tightened", "PaymentCreateParams.Metadata (`metadata`)"},
	{"unknown keyword beside a reference", func(e edit) { e.set(create+"/properties/currency", "not", `{"const": "GBP"}`) }, Breaking, "keyword-changed", "PaymentCreateParams.Currency (`currency`) changed in `not`"},
	{"field of a listed object removed", func(e edit) {
		e.remove(schemas+"/PeriodicLimit/properties", "alignment")
	}, Breaking, "request-field-removed", "PeriodicLimitParams.Alignment (`alignment`) was removed"},

	// Conditions.
	{"condition lifted", func(e edit) { e.remove(mandates, "if"); e.remove(mandates, "then") }, Behaviour, "condition-removed", "Constraints.MaxAmountPerPayment (`constraints.max_amount_per_payment`) is no longer required when Scheme is SchemePayTo"},
	{"condition demands more", func(e edit) {
		e.append(mandates+"/then/properties/constraints/required", `"end_date"`)
	}, Breaking, "condition-added", "Constraints.EndDate (`constraints.end_date`) is now required when Scheme is SchemePayTo"},
	{"condition for another value", func(e edit) { e.set(mandates+"/if/properties/scheme", "const", `"bacs"`) }, Breaking, "condition-added", "is now required when Scheme is SchemeBacs"},
	{"condition on its own member", func(e edit) {
		e.set(create, "if", `{"properties": {"currency": {"const": "USD"}}}`)
		e.set(create, "then", `{"required": ["currency", "reference"]}`)
	}, Breaking, "condition-added", "PaymentCreateParams.Reference (`reference`) is now required when Currency is CurrencyUSD"},
	{"condition on a new object", func(e edit) {
		e.set(create, "if", `{"required": ["currency"], "properties": {"currency": {"const": "USD"}}}`)
		e.set(create, "then", `{"required": ["reference"]}`)
	}, Breaking, "condition-added", "PaymentCreateParams.Reference (`reference`) is now required when Currency is CurrencyUSD"},

	// Parameters.
	{"filter added", func(e edit) {
		e.append(payList+"/parameters", `{"name": "colour", "in": "query", "schema": {"type": "string"}}`)
	}, Addition, "parameter-added", "PaymentListParams.Colour (`colour`) was added"},
	{"required filter added", func(e edit) {
		e.append(payList+"/parameters", `{"name": "colour", "in": "query", "required": true, "schema": {"type": "string"}}`)
	}, Breaking, "parameter-added-required", "PaymentListParams.Colour (`colour`) was added and is required"},
	{"filter removed", func(e edit) {
		e.at(payList + "/parameters").Items = slices.DeleteFunc(e.at(payList+"/parameters").Items, func(p *jsontree.Value) bool { return p.Get("name").Str() == "status" })
	}, Breaking, "parameter-removed", "PaymentListParams.Status (`status`) was removed"},
	{"filter became required", func(e edit) { e.param(payList, "customer").Set("required", e.json("true")) }, Breaking, "became-required", "PaymentListParams.Customer (`customer`) is now required"},
	{"header became optional", func(e edit) {
		e.param("/paths/~1bank_account_details~1{identity}/get", "Gc-Key-Id").Delete("required")
	}, Addition, "became-optional", "is now optional"},
	{"filter written differently", func(e edit) { e.param(payList, "created_at").Set("style", e.json(`"form"`)) }, Breaking, "style-changed", "PaymentListParams.CreatedAt"},
	{"filter reworded", func(e edit) { e.param(payList, "customer").Set("description", e.json(`"A customer."`)) }, Documentation, "documentation-changed", "PaymentListParams changed in `customer`"},
	{"style spelled out", func(e edit) {
		e.param(payList, "customer").Set("style", e.json(`"form"`))
		e.param(payList, "customer").Set("explode", e.json("true"))
		e.param(payList, "customer").Set("required", e.json("false"))
	}, 0, "", ""},

	// Replies.
	{"reply field added", func(e edit) { e.set(payment+"/properties", "colour", `{"type": "string"}`) }, Addition, "field-added", "Payment.Colour (`colour`) was added"},
	{"reply field removed", func(e edit) { e.remove(payment+"/properties", "amount_refunded") }, Breaking, "reply-field-removed", "Payment.AmountRefunded (`amount_refunded`) was removed"},
	{"reply type changed", func(e edit) { e.set(payment+"/properties/description", "type", `"boolean"`) }, Breaking, "type-changed", "from string to bool"},
	{"reply number may be null", func(e edit) { e.set(payment+"/properties/amount", "type", `["integer", "null"]`) }, Breaking, "reply-null-allowed", "its type changed from int64 to *int64"},
	{"reply number never null", func(e edit) { e.set(payment+"/properties/app_fee", "type", `"integer"`) }, Breaking, "reply-null-gone", "its type changed from *int64 to int64"},
	{"reply text may be null", func(e edit) { e.set(payment+"/properties/created_at", "type", `["string", "null"]`) }, Behaviour, "reply-null-allowed", "can now be null"},
	{"reply text never null", func(e edit) { e.set(payment+"/properties/description", "type", `"string"`) }, Behaviour, "reply-null-gone", "can no longer be null"},
	{"null in another spelling", func(e edit) {
		e.remove(payment+"/properties/description", "type")
		e.set(payment+"/properties/description", "anyOf", `[{"type": "string"}, {"type": "null"}]`)
	}, 0, "", ""},
	{"reply enum value added", func(e edit) { e.append(schemas+"/PaymentStatus/enum", `"lost"`) }, Addition, "enum-value-added", "PaymentStatus has a new value PaymentStatusLost (`lost`)"},
	{"reply enum value removed", func(e edit) { e.drop(schemas+"/PaymentStatus/enum", "paid_out") }, Breaking, "enum-value-removed", "PaymentStatusPaidOut"},
	{"enum values in another order", func(e edit) { slices.Reverse(e.at(schemas + "/PaymentStatus/enum").Items) }, 0, "", ""},
	{"enum value reworded", func(e edit) { e.set(schemas+"/PaymentStatus/x-enum-descriptions", "paid_out", `"Gone."`) }, Documentation, "documentation-changed", "PaymentStatus changed in `paid_out`"},
	{"reply field reworded", func(e edit) { e.set(payment+"/properties/amount", "description", `"Sum."`) }, Documentation, "documentation-changed", "Payment changed in `amount`"},
	{"example changed", func(e edit) { e.set(payment+"/properties/amount", "examples", `[99]`) }, Documentation, "documentation-changed", "Payment changed in `amount`"},
	{"reply field deprecated", func(e edit) { e.set(payment+"/properties/reference", "deprecated", "true") }, Behaviour, "deprecated", "Payment.Reference is deprecated"},
	{"reply limit", func(e edit) { e.set(payment+"/properties/reference", "maxLength", "10") }, Documentation, "limit-changed", "must now have at most 10 characters"},
	{"reply status changed", func(e edit) { e.rename(pay+"/responses", "201", "200") }, Behaviour, "status-changed", "replies with 200 instead of 201"},
	{"reply body dropped", func(e edit) { e.remove(pay+"/responses/201", "content") }, Breaking, "reply-changed", "no longer returns a value"},
	{"reply envelope renamed", func(e edit) {
		s := pay + "/responses/201/content/application~1json/schema"
		e.rename(s+"/properties", "payments", "payment")
		e.set(s, "required", `["payment"]`)
	}, Breaking, "reply-member-removed", "The reply of client.Payments.Create no longer has `payments`"},
	{"list lost its cursors", func(e edit) {
		e.remove(payList+"/responses/200/content/application~1json/schema/properties", "meta")
	}, Behaviour, "reply-member-removed", "no longer has `meta`"},
	{"reply may come without its envelope", func(e edit) {
		e.remove(pay+"/responses/201/content/application~1json/schema", "required")
	}, Breaking, "reply-member-optional", "The reply of client.Payments.Create may now omit `payments`"},
	{"reply gained a body", func(e edit) {
		e.set("/paths/~1payments~1{identity}~1actions~1cancel/post/responses", "204", `{"description": "Done."}`)
	}, Breaking, "reply-changed", "client.Payments.Cancel no longer returns a value"},
	{"list always has its cursors", func(e edit) {
		e.set(payList+"/responses/200/content/application~1json/schema", "required", `["payments", "meta"]`)
	}, Documentation, "reply-member-required", "The reply of client.Payments.List now always has `meta`"},
	{"cursors of another type", func(e edit) { e.set(schemas+"/ListCursors/properties/after", "type", `"integer"`) }, Breaking, "type-changed", "ListCursors.After"},
	{"cursors renamed", func(e edit) {
		e.rename(schemas, "ListCursors", "Cursors")
		e.set(schemas+"/ListMeta/properties/cursors", "$ref", `"#/components/schemas/Cursors"`)
	}, 0, "", ""},
	{"list became one", func(e edit) {
		e.set(payList+"/responses/200/content/application~1json/schema/properties", "payments", `{"$ref": "#/components/schemas/Payment"}`)
	}, Breaking, "type-changed", "the reply of client.Payments.List"},
	{"error member removed", func(e edit) { e.remove(schemas+"/Error/properties", "request_id") }, Breaking, "reply-field-removed", "Error.RequestID"},

	// Other spellings of the same.
	{"reference wrapped in allOf", func(e edit) {
		v := e.at(create + "/properties/currency")
		v.Set("allOf", e.json(`[{"$ref": "`+v.Get("$ref").Str()+`"}]`))
		v.Delete("$ref")
	}, 0, "", ""},
	{"parameters of the whole path", func(e edit) {
		for _, name := range []string{"/payments/{identity}/actions/cancel", "/payments/{identity}/actions/retry"} {
			path := e.at("/paths").Get(name)
			path.Set("parameters", path.Get("post").Get("parameters"))
			path.Get("post").Delete("parameters")
		}
	}, 0, "", ""},
	{"media type with its charset", func(e edit) {
		e.rename(pay+"/responses/201/content", "application/json", "application/json; charset=utf-8")
	}, 0, "", ""},
	{"condition with an enum of one", func(e edit) { e.set(mandates+"/if/properties", "scheme", `{"enum": ["pay_to"]}`) }, 0, "", ""},
	{"number with a fraction of nothing", func(e edit) {
		e.set(schemas+"/SubscriptionCreateParams/properties/interval", "minimum", "1.0")
		e.set(schemas+"/SubscriptionCreateParams/properties/interval", "default", "1.0")
	}, 0, "", ""},

	// The whole.
	{"API version", func(e edit) { e.set("/info", "version", `"2027-01-01"`) }, Breaking, "api-version-changed", "from 2015-07-06 to 2027-01-01"},
	{"server removed", func(e edit) { e.at("/servers").Items = e.at("/servers").Items[1:] }, Breaking, "server-removed", "https://api.gocardless.com"},
	{"server added", func(e edit) { e.append("/servers", `{"url": "https://api.example.com"}`) }, Addition, "server-added", "https://api.example.com"},
	{"authentication changed", func(e edit) { e.set("/components/securitySchemes/accessToken", "scheme", `"basic"`) }, Breaking, "security-changed", "The authentication of calls changed"},
	{"resource reworded", func(e edit) {
		for _, tag := range e.at("/tags").Items {
			if tag.Get("name").Str() == "payments" {
				tag.Set("description", jsontree.NewString("Money."))
			}
		}
	}, Documentation, "documentation-changed", "The documentation of client.Payments changed"},
	{"date alone", func(e edit) { e.set("/info", "x-schema-date", `"2027-01-01"`) }, 0, "", ""},
	{"unused component", func(e edit) { e.set(schemas, "Unused", `{"type": "object"}`) }, 0, "", ""},
	{"unknown keyword", func(e edit) { e.set(create+"/properties/reference", "contentEncoding", `"base64"`) }, Breaking, "keyword-changed", "`contentEncoding`"},
}

// sideOf returns a document as one side of a comparison, with names by rule.
func sideOf(t testing.TB, root *jsontree.Value) Side {
	t.Helper()
	doc, err := openapi.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return Side{Doc: doc}
}

func TestMutations(t *testing.T) {
	base := part(t)
	if len(mutations) < 40 {
		t.Fatalf("only %d mutations", len(mutations))
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			revised := base.Clone()
			m.edit(edit{t, revised})
			r := compare(t, sideOf(t, base), sideOf(t, revised))
			if r.Worst() != m.class || r.Bump != BumpOf(m.class) {
				t.Errorf("the worst is %q with bump %s, want %q\n%s", r.Worst(), r.Bump, m.class, r.text())
			}
			if m.class == 0 {
				return
			}
			found := slices.ContainsFunc(r.Changes, func(c Change) bool {
				return c.Class == m.class && c.Code == m.code && strings.Contains(c.Text, m.text)
			})
			if !found {
				t.Errorf("no %s change %s with %q\n%s", m.class, m.code, m.text, r.text())
			}
			for _, c := range r.Changes {
				if strings.HasPrefix(c.Code, "oasdiff:") {
					t.Errorf("only oasdiff saw: %s (%s)", c.Text, c.Code)
				}
				if c.Class == Breaking && c.Advice == "" {
					t.Errorf("no advice for %s", c.Text)
				}
			}
		})
	}
}

// An inline enum has no type of its own: reports name its field.
func TestInlineEnumsAreNamedByTheirField(t *testing.T) {
	with := func(values string) Side {
		root := part(t)
		e := edit{t, root}
		e.set(payment+"/properties", "tongue", `{"type": "string", "enum": `+values+`}`)
		e.set(payment+"/properties", "tongues", `{"type": "array", "items": {"type": "string", "enum": `+values+`}}`)
		e.append(payList+"/parameters", `{"name": "tongue", "in": "query", "schema": {"type": "string", "enum": `+values+`}}`)
		return sideOf(t, root)
	}
	var got []string
	for _, c := range compare(t, with(`["de", "fr"]`), with(`["fr", "en"]`)).Changes {
		got = append(got, c.Class.String()+": "+c.Text+c.Before)
	}
	want := []string{
		"addition: Payment.Tongue (`tongue`) has a new value `en`.",
		"addition: Payment.Tongues has a new value `en`.",
		"addition: PaymentListParams.Tongue (`tongue`) has a new value `en`.",
		"breaking: The value `de` was removed from Payment.Tongue (`tongue`).",
		"breaking: The value `de` was removed from Payment.Tongues.",
		"breaking: The value `de` was removed from PaymentListParams.Tongue (`tongue`).",
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// An inline enum and a component with the same values are the same.
func TestEnumInPlaceIsTheSame(t *testing.T) {
	root := part(t)
	e := edit{t, root}
	currency := e.at(schemas + "/Currency").Clone()
	e.at(payment+"/properties").Set("currency", currency)
	for _, c := range compare(t, sideOf(t, part(t)), sideOf(t, root)).Changes {
		if c.Class > Documentation {
			t.Errorf("%s: %s", c.Class, c.Text)
		}
	}
	currency.Get("enum").Items = currency.Get("enum").Items[1:]
	if r := compare(t, sideOf(t, part(t)), sideOf(t, root)); r.Worst() != Breaking || r.Changes[0].Code != "enum-value-removed" {
		t.Errorf("a value removed in place: %s", r.text())
	}
}
