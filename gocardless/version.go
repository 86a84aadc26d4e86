package gocardless

// Version is the version of this module. It travels in the User-Agent and
// GoCardless-Client-Version headers of every request.
const Version = "0.2.0"

// libraryName is the value of the GoCardless-Client-Library header.
const libraryName = "gocardless-community-go"
