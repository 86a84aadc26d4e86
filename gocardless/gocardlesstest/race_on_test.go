//go:build race

package gocardlesstest

const raceDetector = true
