// Package browsertest tests the sandbox's pages in headless Chromium. It is separate from the sandbox,
// so that the browser driver is not a dependency of programs that import the sandbox.
package browsertest
