package image_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// composition is docker-compose.yml, as far as other files have to agree with it.
type composition struct {
	Services map[string]service               `yaml:"services"`
	Secrets  map[string]struct{ File string } `yaml:"secrets"`
	Volumes  map[string]any                   `yaml:"volumes"`
}

type service struct {
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Secrets     []string          `yaml:"secrets"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
}

// readComposition gives variables their defaults, as Docker Compose does.
func readComposition(t *testing.T) composition {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	require.NoError(t, err)
	raw = regexp.MustCompile(`\$\{\w+:-([^}]*)\}`).ReplaceAll(raw, []byte("$1"))
	require.NotContains(t, string(raw), "${", "a variable without a default")
	var c composition
	require.NoError(t, yaml.Unmarshal(raw, &c))
	return c
}

// roles are the services that run a role.
func (c composition) roles() map[string]service {
	roles := map[string]service{}
	for name, s := range c.Services {
		if len(s.Command) == 2 && s.Command[0] == "run" {
			roles[name] = s
		}
	}
	return roles
}

// at is what is mounted at a path, "" when nothing is.
func (s service) at(path string) string {
	for _, mount := range s.Volumes {
		source, target, _ := strings.Cut(mount, ":")
		if strings.TrimSuffix(target, ":ro") == path {
			return source
		}
	}
	return ""
}

func strictly(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(into), path)
}

// Everything that docker-compose.yml mounts, and every secret that a service wants, is there.
func TestComposeNamesWhatThereIs(t *testing.T) {
	c := readComposition(t)
	readme, err := os.ReadFile(filepath.Join(root, "deploy", "secrets", "README.md"))
	require.NoError(t, err)
	for name, s := range c.Services {
		for _, mount := range s.Volumes {
			source, _, _ := strings.Cut(mount, ":")
			if strings.HasPrefix(source, "./") {
				_, err := os.Stat(filepath.Join(root, source))
				assert.NoError(t, err, name)
				continue
			}
			assert.Contains(t, c.Volumes, source, name)
		}
		for _, secret := range s.Secrets {
			assert.Equal(t, "./deploy/secrets/"+secret, c.Secrets[secret].File, name)
			assert.Contains(t, string(readme), "`"+secret+"`")
		}
		for _, port := range s.Ports {
			assert.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s publishes %s beyond this machine", name, port)
		}
	}
}

// One service for each role, and nothing kept by any but the two with state and the console.
func TestComposeRunsEveryRole(t *testing.T) {
	roles := readComposition(t).roles()
	assert.Len(t, roles, len(topology.Roles()))
	for _, role := range topology.Roles() {
		s, ok := roles[string(role)]
		require.True(t, ok, role)
		assert.Equal(t, string(role), s.Command[1])
		kept := map[topology.Role]string{topology.RoleSMS: "sms-state", topology.RoleTransformer: "state", topology.RoleConsole: "console"}[role]
		assert.Equal(t, kept, s.at("/var/lib/rechargeflow"), role)
	}
}

// configs/compose.yaml is a whole configuration for each role once the id of Bloomreach's key is given: all else comes from the
// secrets that docker-compose.yml passes to the role.
func TestComposeConfigLoads(t *testing.T) {
	c := readComposition(t)
	for name, s := range c.roles() {
		path, dir := filepath.Join(root, s.at("/etc/rechargeflow/rechargeflow.yaml")), t.TempDir()
		var environ []string
		for variable, file := range s.Environment {
			secret := strings.TrimPrefix(file, "/run/secrets/")
			assert.Contains(t, s.Secrets, secret, "%s: %s", name, variable)
			write(t, filepath.Join(dir, secret), "of-"+secret)
			environ = append(environ, variable+"="+filepath.Join(dir, secret))
		}
		loaded, err := config.Load(path, environ, name)
		if name == string(topology.RoleTracking) {
			require.ErrorContains(t, err, "bloomreach.key_id: is still the placeholder")
			require.NotContains(t, err.Error(), "\n", "and nothing else is wrong")
			loaded, err = config.Load(path, append(environ, "RECHARGEFLOW_STORE_ACME_BLOOMREACH_KEY_ID=key"), name)
		}
		require.NoError(t, err)
		_, err = config.Load(path, append(environ, "RECHARGEFLOW_STORE_ACME_BLOOMREACH_KEY_ID=key", "RECHARGEFLOW_STORE_ACME_RECHARGE_WEBHOOK_URL=https://hooks.example.com"), name)
		require.NoError(t, err, "with registrations that are restored, which configs/compose.yaml proposes")
		assert.Equal(t, loaded.Config.Kafka.Brokers[0], strings.TrimPrefix(strings.Split(c.Services["kafka"].Environment["KAFKA_ADVERTISED_LISTENERS"], ",")[0], "PLAINTEXT://"))
		assert.Equal(t, ":9090", loaded.Config.Admin.Listen, "reached by Prometheus in another container")
		assert.True(t, filepath.IsLocal(loaded.Config.SMS.StateDir), "below the image's working directory, where the volume is")
		assert.True(t, filepath.IsLocal(loaded.Config.Transformer.StateDir), "likewise")
	}
}

// Prometheus scrapes every role at the port of its metrics, and finds its alerts.
func TestPrometheusScrapesEveryRole(t *testing.T) {
	var p struct {
		Global struct {
			Interval   string `yaml:"scrape_interval"`
			Timeout    string `yaml:"scrape_timeout"`
			Evaluation string `yaml:"evaluation_interval"`
		} `yaml:"global"`
		Rules []string `yaml:"rule_files"`
		Jobs  []struct {
			Name string `yaml:"job_name"`
			DNS  []struct {
				Names   []string `yaml:"names"`
				Type    string   `yaml:"type"`
				Port    string   `yaml:"port"`
				Refresh string   `yaml:"refresh_interval"`
			} `yaml:"dns_sd_configs"`
			Relabel []struct {
				From []string `yaml:"source_labels"`
				To   string   `yaml:"target_label"`
			} `yaml:"relabel_configs"`
		} `yaml:"scrape_configs"`
	}
	strictly(t, "configs/prometheus.yml", &p)
	require.Len(t, p.Jobs, 1)
	assert.Equal(t, "rechargeflow", p.Jobs[0].Name, "the dashboard queries this job")
	require.Len(t, p.Jobs[0].DNS, 1)
	for _, file := range p.Rules {
		assert.NotEmpty(t, readComposition(t).Services["prometheus"].at("/etc/prometheus/"+file), file)
	}
	found, roles := p.Jobs[0].DNS[0], []string{}
	for name := range readComposition(t).roles() {
		roles = append(roles, name)
	}
	assert.ElementsMatch(t, roles, found.Names)
	assert.Equal(t, "A", found.Type)
	loaded, err := config.Load("", nil)
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(loaded.Config.Admin.Listen)
	require.NoError(t, err)
	assert.Equal(t, port, found.Port)
	require.Len(t, p.Jobs[0].Relabel, 1)
	assert.Equal(t, "service", p.Jobs[0].Relabel[0].To, "the dashboard queries this label")
}

// Grafana finds Prometheus and the dashboards where docker-compose.yml puts them.
func TestGrafanaFindsSourcesAndDashboards(t *testing.T) {
	var sources struct {
		Version int `yaml:"apiVersion"`
		List    []struct {
			Name, UID, Type, URL string
			Default              bool `yaml:"isDefault"`
		} `yaml:"datasources"`
	}
	strictly(t, "configs/grafana/provisioning/datasources/prometheus.yaml", &sources)
	require.Len(t, sources.List, 1)
	c := readComposition(t)
	require.Contains(t, c.Services, "prometheus")
	assert.Equal(t, "http://prometheus:9090", sources.List[0].URL)

	var providers struct {
		Version int `yaml:"apiVersion"`
		List    []struct {
			Name, Type string
			Updates    bool                  `yaml:"allowUiUpdates"`
			Options    struct{ Path string } `yaml:"options"`
		} `yaml:"providers"`
	}
	strictly(t, "configs/grafana/provisioning/dashboards/rechargeflow.yaml", &providers)
	require.Len(t, providers.List, 1)
	grafana, directory := c.Services["grafana"], providers.List[0].Options.Path
	assert.Equal(t, "./configs/grafana/dashboards", grafana.at(directory))
	assert.Equal(t, "./configs/grafana/provisioning", grafana.at("/etc/grafana/provisioning"))
	assert.Equal(t, directory+"/"+filepath.Base(dashboard), grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
	for _, b := range readDashboards(t) {
		for _, source := range b.sources() {
			assert.Equal(t, sources.List[0].UID, source.UID)
			assert.Equal(t, sources.List[0].Type, source.Type)
		}
	}
}
