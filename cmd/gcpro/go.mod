module github.com/gocardless-community/gocardless-go/cmd/gcpro

go 1.26.0

require github.com/gocardless-community/gocardless-go v0.1.0
