package gocardless

// Version is the version of this module. Requests report it in the headers User-Agent and
// GoCardless-Client-Version.
const Version = "0.2.0"

// libraryName is the value of the GoCardless-Client-Library header.
const libraryName = "gocardless-community-go"
