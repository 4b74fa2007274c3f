package config

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// fileSuffix is the suffix of the variable that names the file of a secret.
const fileSuffix = "_FILE"

// passwordKey is the key of a secret whose file is read again for each connection to Kafka.
const passwordKey = "kafka.sasl.password"

// variable is the key that an environment variable sets.
type variable struct {
	scope  *scope
	key    Key
	isFile bool
}

// environment reads the RECHARGEFLOW_ variables of environ ("NAME=value") into root and stores.
type environment struct {
	faults *Faults
	files  *files
	root   *scope
	stores []*scope
	former []string // stores that the file no longer has
	known  map[string]variable
}

func newEnvironment(faults *Faults, files *files, root *scope, stores []*scope) environment {
	e := environment{faults: faults, files: files, root: root, stores: stores, known: map[string]variable{}}
	e.add(root, "")
	// The longest name last: a variable that fits two stores belongs to the store with the longer name.
	byLength := slices.SortedStableFunc(slices.Values(stores), func(a, b *scope) int {
		return cmp.Compare(len(a.name()), len(b.name()))
	})
	for _, s := range byLength {
		if s.name() != "" {
			e.add(s, s.envPrefix())
		}
	}
	return e
}

func (e environment) add(s *scope, prefix string) {
	for _, k := range s.keys {
		if k.Env == "" {
			continue
		}
		e.known[prefix+k.Env] = variable{scope: s, key: k}
		if k.Secret {
			e.known[prefix+k.Env+fileSuffix] = variable{scope: s, key: k, isFile: true}
		}
	}
}

// read reads the variables in the order of their names.
func (e environment) read(environ []string) {
	given := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, envPrefix) && !isForeign(name) {
			given[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		v, ok := e.known[name]
		switch {
		case !ok:
			e.unknown(name)
		case v.isFile:
			e.readFile(name, given, v)
		default:
			e.set(v, "environment "+name, given[name], "")
		}
	}
}

func (e environment) unknown(name string) {
	if instead := removed(strings.ToLower(name)); instead != "" {
		e.faults.add("environment "+name, "", "no longer a setting: %s", instead)
		return
	}
	hint, _ := didYouMean(name, slices.Sorted(maps.Keys(e.known)))
	if strings.HasPrefix(name, storeEnvPrefix) && !e.isOfStore(name) {
		if e.root.distrusted["stores"] || e.isOfFormer(name) {
			return // the stores are unknown, or this one was removed
		}
		hint += ", no store of the file has this name"
	}
	e.faults.add("environment "+name, "", "unknown variable%s", hint)
}

func (e environment) isOfStore(name string) bool {
	return slices.ContainsFunc(e.stores, func(s *scope) bool {
		return s.name() != "" && strings.HasPrefix(name, s.envPrefix())
	})
}

func (e environment) isOfFormer(name string) bool {
	return slices.ContainsFunc(e.former, func(store string) bool { return strings.HasPrefix(name, storeEnvPrefix+envName(store)+"_") })
}

// readFile reads a secret from the file named by the variable. It never prints the file name, which could be the secret itself,
// set by mistake.
func (e environment) readFile(name string, given map[string]string, v variable) {
	if _, both := given[strings.TrimSuffix(name, fileSuffix)]; both {
		e.faults.add("environment "+name, v.path(), "given together with %s, expected one of the two", strings.TrimSuffix(name, fileSuffix))
		v.scope.distrust(v.key.Path)
		return
	}
	read := e.files.read
	if v.path() == passwordKey {
		read = os.ReadFile // again for each connection: no reload is needed
	}
	content, err := read(given[name])
	if err != nil {
		e.faults.add("environment "+name, v.path(), "given a file that can't be read: %s", withoutPath(err))
		v.scope.distrust(v.key.Path)
		return
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	e.set(v, "file named by "+name, text, given[name])
}

// set sets the value of a key. file is the file that it was read from, if any.
func (e environment) set(v variable, origin, text, file string) {
	value, ok := v.key.parse(text)
	if !ok {
		e.faults.add(origin, v.path(), "given %s, expected %s", v.key.shown(text), expectedInEnv(v.key))
		v.scope.distrust(v.key.Path)
		return
	}
	v.scope.env[v.key.Path] = setting{value: value, origin: origin, file: file}
}

func (v variable) path() string { return v.scope.label + v.key.Path }

func expectedInEnv(k Key) string {
	if k.Kind == KindList {
		return "values separated by commas, each " + k.expectedText()
	}
	return k.Expected()
}

// name returns the store's name, "" if the file has no valid one.
func (s *scope) name() string {
	name, _ := s.file["name"].value.(string)
	return name
}

// envPrefix returns the prefix of a store's variables.
func (s *scope) envPrefix() string { return storeEnvPrefix + envName(s.name()) + "_" }

// isForeign reports variables with the prefix RECHARGEFLOW_ that are not settings: those of the command line and the tests, and
// those that Kubernetes sets in every pod for a Service named rechargeflow or rechargeflow-*
// (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
func isForeign(name string) bool {
	rest := strings.TrimPrefix(name, envPrefix)
	service := regexp.MustCompile(`(^|_)(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)
	return rest == "CONFIG" || rest == "KAFKA_JARS" || rest == "SCREENSHOTS" || strings.HasPrefix(rest, "TEST_") || service.MatchString(rest)
}

// withoutPath returns the cause of a failed file operation, without the file name.
func withoutPath(err error) string {
	var errno syscall.Errno
	var pathError *fs.PathError
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &pathError):
		return pathError.Err.Error()
	default:
		return "unknown cause"
	}
}
