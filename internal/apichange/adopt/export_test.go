package adopt

// For tests that need the packages above this one.
var (
	AsVendor   = asVendor
	September  = september
	StripWords = stripWords
	ToYAML     = toYAML
)
