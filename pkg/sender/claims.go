package sender

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Claims is a file of the texts that were given to a provider. The embedded broker may forget a claim when its process is killed; the file
// does not. It is for one process at a time, and holds ids of messages only.
type Claims struct {
	mutex sync.Mutex
	file  *os.File
	known map[string]bool
}

// The lines of the file: a text that is about to be sent, and one that was certainly not.
const (
	claimed = "+"
	givenUp = "-"
)

// OpenClaims opens the file, or creates it.
func OpenClaims(path string) (*Claims, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open claims: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // configured
	if err != nil {
		return nil, fmt.Errorf("open claims: %w", err)
	}
	c := &Claims{file: file, known: map[string]bool{}}
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	return c, nil
}

// read reads the file. A last line without its end was never synced, so its call never began.
func (c *Claims) read() error {
	reader := bufio.NewReader(c.file)
	for {
		line, err := reader.ReadString('\n')
		if err == io.EOF {
			return c.endLine(line)
		}
		if err != nil {
			return err
		}
		if id, found := strings.CutPrefix(strings.TrimSuffix(line, "\n"), claimed); found {
			c.known[id] = true
		} else {
			delete(c.known, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), givenUp))
		}
	}
}

// endLine ends a line that was written in part, and gives up its text.
func (c *Claims) endLine(part string) error {
	if part == "" {
		return nil
	}
	return c.write("\n" + givenUp + strings.TrimPrefix(part, claimed))
}

// Claim adds a text that is about to be sent, and syncs the file. It reports false for one that may have been sent already.
func (c *Claims) Claim(id string) (first bool, err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.known[id] {
		return false, nil
	}
	if err := c.write(claimed + id); err != nil {
		return false, err
	}
	c.known[id] = true
	return true, nil
}

// GiveUp removes a text that was certainly not sent.
func (c *Claims) GiveUp(id string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := c.write(givenUp + id); err != nil {
		return err
	}
	delete(c.known, id)
	return nil
}

func (c *Claims) write(line string) error {
	if _, err := c.file.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("write claims: %w", err)
	}
	if err := c.file.Sync(); err != nil {
		return fmt.Errorf("sync claims: %w", err)
	}
	return nil
}

// Close closes the file.
func (c *Claims) Close() error { return c.file.Close() }
