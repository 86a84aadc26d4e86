package adopt

// For tests that need packages that import this one.
var (
	AsVendor   = asVendor
	September  = september
	StripWords = stripWords
	ToYAML     = toYAML
)
