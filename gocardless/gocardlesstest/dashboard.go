package gocardlesstest

import "net/http"

func isDashboard(r *http.Request) bool { return false }

func (sb *Sandbox) serveDashboard(w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {}
