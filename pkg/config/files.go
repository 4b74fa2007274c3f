package config

import (
	"crypto/sha256"
	"os"
	"slices"
)

// Digest identifies the content of the files that a configuration is read from.
type Digest [sha256.Size]byte

// files reads the files of a configuration, and remembers their names and contents.
type files struct {
	names []string
	sums  []byte
}

func (f *files) read(name string) ([]byte, error) {
	content, err := os.ReadFile(name)
	sum := sha256.Sum256(content)
	if err != nil {
		sum = sha256.Sum256([]byte("error: " + err.Error()))
	}
	f.names, f.sums = append(f.names, name), append(f.sums, sum[:]...)
	return content, err
}

func (f *files) digest() Digest { return sha256.Sum256(f.sums) }

// Digest returns the digest of the files when they were loaded: the configuration file, and the files of secrets that variables name. Without
// files it is the same always. The file of kafka.sasl.password is not among them: it is read again for each connection.
func (l Loaded) Digest() Digest { return l.files.digest() }

// DigestNow reads the files again and returns their digest. It follows symbolic links, so it sees a volume of Kubernetes that was
// replaced (https://kubernetes.io/docs/concepts/storage/volumes/#configmap).
func (l Loaded) DigestNow() Digest {
	var now files
	for _, name := range l.files.names {
		_, _ = now.read(name) // an error makes another digest
	}
	return now.digest()
}

// Reload loads the configuration again: the same file, environment and roles. The environment of a process can't change, so variables of
// stores that are no longer in the file are no fault.
func (l Loaded) Reload() (Loaded, error) {
	former := l.former
	for _, store := range l.Config.Stores {
		if !slices.Contains(former, store.Name) {
			former = append(former[:len(former):len(former)], store.Name)
		}
	}
	return load(l.Path, l.environ, l.roles, former)
}
