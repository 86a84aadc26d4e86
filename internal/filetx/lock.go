package filetx

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Lock waits until no other process changes the tree below root, and keeps others out until unlock is
// called or the process ends. The lock is a file in the system's directory for temporary files, so
// that the tree itself stays clean.
func Lock(root string) (unlock func(), err error) {
	absolute, err := filepath.Abs(root)
	if err == nil {
		absolute, err = filepath.EvalSymlinks(absolute)
	}
	if os.IsNotExist(err) {
		return func() {}, nil // the tree does not exist yet
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(absolute))
	name := filepath.Join(os.TempDir(), "gen-"+hex.EncodeToString(sum[:8])+".lock")
	unlock, err = lockedfile.MutexAt(name).Lock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", root, err)
	}
	return unlock, nil
}
