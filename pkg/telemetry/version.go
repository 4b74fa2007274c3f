package telemetry

import "runtime/debug"

// Version tells which build a process is.
type Version struct {
	Version string `json:"version"` // v1.2.3, or devel
	Commit  string `json:"commit"`  // git revision, with -dirty for a changed work tree; unknown without one
	Go      string `json:"go"`      // go1.26.1
}

// ReadVersion takes the version that the linker set, or where it set none that of the module, and the rest
// from what the Go tool wrote into the binary.
func ReadVersion(linked string) Version {
	v := Version{Version: linked, Commit: "unknown"}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	v.Go = build.GoVersion
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" {
			v.Commit = setting.Value
		}
	}
	for _, setting := range build.Settings {
		if setting.Key == "vcs.modified" && setting.Value == "true" {
			v.Commit += "-dirty"
		}
	}
	if v.Version == "" {
		v.Version = build.Main.Version
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "devel"
	}
	return v
}
