//go:build race

package gocardless

const raceDetector = true
