//go:build !race

package gocardlesstest

const raceDetector = false
