package telemetry

import "runtime/debug"

// Version is the version and build information of a process.
type Version struct {
	Version string `json:"version"` // v1.2.3, or devel
	Commit  string `json:"commit"`  // git revision, with -dirty for a changed work tree; unknown without one
	Go      string `json:"go"`      // go1.26.1
}

// ReadVersion returns the version set by the linker, else that of the module, with commit and Go release from the build
// information in the binary.
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

// Name returns the version, with the commit if the version alone does not say what was built.
func (v Version) Name() string {
	if v.Version == "devel" && v.Commit != "" && v.Commit != "unknown" {
		return v.Version + " " + v.Commit
	}
	return v.Version
}
