package pages

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// view is what the templates get: what every page shows, and Page with what is the page's own.
type view struct {
	Title  string
	Person access.Person
	May    may
	Local  bool
	CSRF   string
	Stores []service.StoreInfo
	Store  *service.StoreInfo // nil for a page about no store
	Nav    []navGroup
	Notice string
	Page   any
}

// may is what the person may do.
type may struct{ Editor, Operator bool }

// navGroup is a part of the navigation.
type navGroup struct {
	ID, Title string
	Items     []navItem
}

// navItem is a link of the navigation. Current is page for the page itself, true for one below it, else "".
type navItem struct{ Title, Path, Current string }

// notice is what a page says after a change, by the value of its query done.
func notice(done string) string {
	return map[string]string{
		"saved":       "Saved. It is in force within two seconds.",
		"same":        "It was so already: nothing was changed.",
		"activated":   "The flow is on. Its texts are sent from now on.",
		"deactivated": "The flow is off. It sends no texts.",
		"restored":    "Restored, as a new version. Whether the flow is on has not changed.",
		"held":        "Texts are held.",
		"resumed":     "Texts are sent again.",
		"recorded":    "Recorded. It shows here once it is read.",
		"replaying":   "They are being sent again. See below how far it is.",
		"deleted":     "Deleted. The next push takes its property away.",
		"pushing":     "The push has begun. See below how far it is.",
		"revoked":     "The token is revoked. It is refused from now on.",
	}[done]
}

// page makes a view of the request's store, if its address names one.
func (p *Pages) page(c echo.Context, title string, own any) (view, error) {
	ctx := c.Request().Context()
	who := person(c)
	v := view{
		Title: title, Person: who, Local: who.Name == access.Local, CSRF: access.CSRF(ctx), Page: own,
		May:    may{Editor: who.May(access.Editor), Operator: who.May(access.Operator)},
		Notice: notice(c.QueryParam("done")),
	}
	var err error
	if v.Stores, err = p.service.Stores(ctx); err != nil {
		return view{}, err
	}
	if name := c.Param("store"); name != "" {
		if v.Store = find(v.Stores, name); v.Store == nil {
			return view{}, fmt.Errorf("%w: no store has this name", service.ErrNotFound)
		}
	}
	v.Nav = navigation(v.Store, c.Request().URL.Path)
	return v, nil
}

func find(stores []service.StoreInfo, name string) *service.StoreInfo {
	for _, s := range stores {
		if s.Name == name {
			return &s
		}
	}
	return nil
}

// navigation returns the links of a store's pages, if there is a store, and those of the installation.
func navigation(store *service.StoreInfo, current string) []navGroup {
	var groups []navGroup
	if store != nil {
		name := store.Name
		groups = append(groups, navGroup{ID: "store", Title: name, Items: []navItem{
			{Title: "Start", Path: link(name, "")},
			{Title: "Flows", Path: link(name, "flows")},
			{Title: "Quiet hours and consent", Path: link(name, "sending")},
			{Title: "Texts", Path: link(name, "texts")},
			{Title: "Customers", Path: link(name, "customers")},
			{Title: "Segments", Path: link(name, "segments")},
			{Title: "Events", Path: link(name, "events")},
		}})
	}
	groups = append(groups, navGroup{ID: "all", Title: "Installation", Items: []navItem{
		{Title: "Stores", Path: "/"}, {Title: "Pipeline", Path: "/pipeline"}, {Title: "Dead letters", Path: "/deadletters"}, {Title: "Access", Path: "/access"},
	}})
	for _, group := range groups {
		for i := range group.Items {
			group.Items[i].Current = currency(group.Items[i].Path, current)
		}
	}
	return groups
}

// currency returns the value of aria-current of a link.
func currency(path, current string) string {
	switch {
	case path == current:
		return "page"
	case !strings.HasSuffix(path, "/") && strings.HasPrefix(current, path+"/"):
		return "true"
	}
	return ""
}

// write answers with a page, or with the part of it that the request names.
func (p *Pages) write(c echo.Context, status int, name string, v view) error {
	t, entry := p.templates[name], "layout"
	if part := c.QueryParam("part"); part != "" {
		if t.Lookup(part) == nil {
			return fmt.Errorf("%w: the page has no such part", service.ErrNotFound)
		}
		entry = part
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, entry, v); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	if c.Request().Method == http.MethodHead {
		return c.NoContent(status)
	}
	return c.HTMLBlob(status, out.Bytes())
}

// show answers with a page of the request's store.
func (p *Pages) show(c echo.Context, name, title string, own any) error {
	return p.showStatus(c, http.StatusOK, name, title, own)
}

func (p *Pages) showStatus(c echo.Context, status int, name, title string, own any) error {
	v, err := p.page(c, title, own)
	if err != nil {
		return err
	}
	return p.write(c, status, name, v)
}

// then sends the reader to a page that says what was done.
func then(c echo.Context, path, done string) error {
	return c.Redirect(http.StatusSeeOther, path+"?done="+done)
}
