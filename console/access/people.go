package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

// recheck is how often the file of people is read at most.
const recheck = time.Second

// People are the people of a file, as it is now. The file is read again when it has changed.
type People struct {
	path string
	log  *zap.Logger
	now  func() time.Time

	mu      sync.Mutex
	checked time.Time
	digest  [sha256.Size]byte // of the content that was read last
	broken  error             // its faults
	known   []entry           // of the last content without faults
	fault   error
}

// OpenPeople reads a file of people. The error has all faults, each with its line.
func OpenPeople(path string, log *zap.Logger, now func() time.Time) (*People, error) {
	p := &People{path: path, log: log, now: now}
	p.refresh()
	if p.fault != nil {
		return nil, p.fault
	}
	return p, nil
}

// Fault returns why the file can't be read as it is now; the people of its last valid version stay. nil if it can.
func (p *People) Fault() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refresh()
	return p.fault
}

// entries returns the people as of now.
func (p *People) entries() []entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refresh()
	return p.known
}

// find returns the entry of a name.
func (p *People) find(name string) (entry, bool) {
	for _, each := range p.entries() {
		if each.name == name {
			return each, true
		}
	}
	return entry{}, false
}

// refresh reads the file unless it was just read. A file with faults leaves the people as they were.
func (p *People) refresh() {
	if !p.isDue(p.now()) {
		return
	}
	content, err := readPeople(p.path)
	digest := sha256.Sum256(content)
	if err == nil && digest != p.digest {
		err = p.takeUp(content, digest)
	} else if err == nil {
		err = p.broken
	}
	if err != nil && p.known != nil && (p.fault == nil || p.fault.Error() != err.Error()) {
		p.log.Error("read people_file failed, people and roles stay as they were", zap.Error(err))
	}
	p.fault = err
}

// isDue reports whether the file was not read for a while, and notes that it is read now.
func (p *People) isDue(now time.Time) bool {
	if age := now.Sub(p.checked); !p.checked.IsZero() && age >= 0 && age < recheck {
		return false
	}
	p.checked = now
	return true
}

// takeUp takes up a content of the file that is new.
func (p *People) takeUp(content []byte, digest [sha256.Size]byte) error {
	known, err := parsePeople(p.path, content)
	p.digest, p.broken = digest, err
	if err != nil {
		return err
	}
	if p.known != nil {
		p.log.Info("people_file has changed", zap.Int("people", len(known)))
	}
	p.known = known
	return nil
}

// maxPeople is the largest file of people in bytes.
const maxPeople = 1 << 20

func readPeople(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read people_file: %w", err)
	case info.Size() > maxPeople:
		return nil, fmt.Errorf("read people_file: %s has %d bytes, expected at most %d", path, info.Size(), maxPeople)
	case info.Mode().Perm()&0o002 != 0:
		return nil, fmt.Errorf("read people_file: everybody on this machine can write to %s, and make themselves operators: run chmod o-w", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read people_file: %w", err)
	}
	return content, nil
}

// stamp identifies an entry: it differs when role or password do.
func (e entry) stamp() string {
	sum := sha256.Sum256([]byte(e.name + "\x00" + string(e.role) + "\x00" + e.hash))
	return hex.EncodeToString(sum[:])
}

// ReadPeople returns the people of a file, in its order. The error has all faults, each with its line.
func ReadPeople(path string) (people []Person, err error) {
	content, err := readPeople(path)
	if err != nil {
		return nil, err
	}
	known, err := parsePeople(path, content)
	if err != nil {
		return nil, err
	}
	for _, each := range known {
		people = append(people, Person{Name: each.name, Role: each.role})
	}
	return people, nil
}
