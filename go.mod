module github.com/gocardless-community/gocardless-go

go 1.26
