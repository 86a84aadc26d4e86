// Package browsertest holds the tests of the sandbox's pages in a real browser, headless Chromium.
// They live apart from the sandbox so that what drives the browser does not reach those who import
// it.
package browsertest
