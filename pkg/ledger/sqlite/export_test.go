package sqlite

// Source shows tests how a file is opened.
func Source(path string) string {
	name, err := source(path)
	if err != nil {
		panic(err)
	}
	return name
}
