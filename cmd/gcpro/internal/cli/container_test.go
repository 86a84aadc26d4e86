package cli

import (
	"encoding/json"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const repository = "../../../.."

// commandFlags parses the arguments of a gcpro command, which must exist with its flags.
func commandFlags(t *testing.T, args []string) *pflag.FlagSet {
	t.Helper()
	a := &app{in: strings.NewReader(""), env: func(string) string { return "" }, now: time.Now}
	c, rest, err := a.root().Find(args)
	if err == nil && !c.HasParent() {
		t.Fatalf("%v is not a command", args)
	}
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return c.Flags()
}

// listens checks that a sandbox listens on all interfaces and allows a host, and returns its port.
func listens(t *testing.T, args []string, host string) (port string) {
	t.Helper()
	flags := commandFlags(t, args)
	addr, port, err := net.SplitHostPort(flags.Lookup("addr").Value.String())
	hosts, hostsErr := flags.GetStringSlice("allow-host")
	if err != nil || hostsErr != nil || addr != "0.0.0.0" || !slices.Contains(hosts, host) {
		t.Errorf("%v: listens on %s and allows %v, %v", args, addr, hosts, err)
	}
	return port
}

// The image has certificates of public authorities where Go looks for them, and its command and its
// health check exist.
func TestImage(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(repository, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	stages := regexp.MustCompile(`(?m)^FROM `).Split(string(source), -1)
	image := stages[len(stages)-1]
	exec := func(instruction string) (args []string) {
		t.Helper()
		m := regexp.MustCompile(`(?m)^` + instruction + ` .*?(\[.*\])$`).FindStringSubmatch(image)
		if m == nil || json.Unmarshal([]byte(m[1]), &args) != nil {
			t.Fatalf("the image has no %s in JSON:\n%s", instruction, image)
		}
		return args
	}
	const certificates = "/etc/ssl/certs/ca-certificates.crt"
	for _, want := range []string{"scratch\n", "COPY --from=certificates " + certificates + " " + certificates + "\n", "COPY $TARGETPLATFORM/gcpro /gcpro\n", "USER "} {
		if !strings.Contains(image, want) {
			t.Errorf("the image lacks %q", want)
		}
	}
	if !slices.ContainsFunc(stages, func(stage string) bool {
		return strings.Contains(stage, " AS certificates\n") && strings.Contains(stage, "ca-certificates")
	}) {
		t.Error("no stage has the certificates")
	}
	if entry := exec("ENTRYPOINT"); !slices.Equal(entry, []string{"/gcpro"}) {
		t.Errorf("the entry point is %v", entry)
	}
	if port := listens(t, exec("CMD"), "sandbox"); !strings.Contains(image, "EXPOSE "+port+"\n") {
		t.Errorf("port %s is not exposed", port)
	}
	if health := exec("HEALTHCHECK"); health[0] != "/gcpro" {
		t.Errorf("the health check is %v", health)
	} else {
		commandFlags(t, health[1:])
	}
}

type compose struct {
	Services map[string]struct {
		Image, Build string
		Command      yaml.Node
		Ports        []string
		Profiles     []string
		Environment  map[string]string
		DependsOn    map[string]struct{ Condition string } `yaml:"depends_on"`
	}
	Jobs map[string]struct {
		Services map[string]struct {
			Image string
			Ports []string
		}
		Env   map[string]string
		Steps []struct{ Run string }
	}
}

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// Compose files and workflows agree with the flags of the sandbox, with its port, and with each other.
func TestContainersInDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repository, "docs/sandbox.md"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(repository, "docs/sandbox/compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	sources := []string{string(file)}
	for _, m := range yamlBlock.FindAllStringSubmatch(string(page), -1) {
		sources = append(sources, m[1])
	}
	if len(sources) != 3 {
		t.Fatalf("%d YAML documents, want the compose file, its snippet and a workflow", len(sources))
	}
	for _, source := range sources {
		var c compose
		if err := yaml.Unmarshal([]byte(source), &c); err != nil {
			t.Errorf("%v\n%s", err, source)
			continue
		}
		for name, service := range c.Services {
			if name == "sandbox" {
				continue
			}
			u, err := url.Parse(service.Environment["GOCARDLESS_BASE_URL"])
			if err != nil || service.DependsOn["sandbox"].Condition != "service_healthy" || service.Environment["GOCARDLESS_ACCESS_TOKEN"] == "" {
				t.Errorf("%s: %v, %+v", name, err, service)
				continue
			}
			sandbox := c.Services["sandbox"]
			var args []string
			if err := sandbox.Command.Decode(&args); err != nil {
				t.Fatal(err)
			}
			port := listens(t, args, u.Hostname())
			if u.Hostname() != "sandbox" || u.Port() != port || !slices.Contains(sandbox.Ports, "127.0.0.1:"+port+":"+port) {
				t.Errorf("%s uses %s; the sandbox has port %s and publishes %v", name, u, port, sandbox.Ports)
			}
		}
		for name, job := range c.Jobs {
			u, err := url.Parse(job.Env["GOCARDLESS_BASE_URL"])
			if err != nil || u.Hostname() != "localhost" || !slices.Contains(job.Services["sandbox"].Ports, u.Port()+":8080") {
				t.Errorf("%s uses %s, %v", name, u, err)
			}
		}
	}
}

// Every client in the table has a service, and the program of every service exists.
func TestComposeHasEveryClient(t *testing.T) {
	dir := filepath.Join(repository, "docs/sandbox")
	source, err := os.ReadFile(filepath.Join(dir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(repository, "docs/sandbox-clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal(source, &c); err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| ([\\w.]+) \\| `").FindAllStringSubmatch(string(table), -1)
	if len(rows) != 7 {
		t.Errorf("the table has %d clients", len(rows))
	}
	for _, row := range append(rows, []string{"", "sdk"}) {
		name := strings.ReplaceAll(strings.ToLower(row[1]), ".", "dot")
		service := c.Services[name]
		program := regexp.MustCompile(`/clients/([\w.]+)`).FindStringSubmatch(service.Command.Value)
		if service.Image == "" || !slices.Equal(service.Profiles, []string{name}) || program == nil {
			t.Errorf("%s: no service with its profile and a program: %+v", name, service)
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "clients", program[1])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The compose file of the inbox: its sandbox sends webhooks to an address where a worker listens,
// with the worker's secret, and the program reads every variable that the workers set.
func TestInboxCompose(t *testing.T) {
	module := filepath.Join(repository, "integrations/river")
	source, err := os.ReadFile(filepath.Join(module, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join(module, "example/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal(source, &c); err != nil {
		t.Fatal(err)
	}
	var args, run []string
	sandbox := c.Services["sandbox"]
	if err := sandbox.Command.Decode(&args); err != nil || !slices.Equal(args[:3], []string{"go", "run", "./cmd/gcpro"}) {
		t.Fatalf("the sandbox runs %v, %v", args, err)
	}
	port := listens(t, args[3:], "*")
	if !slices.Contains(sandbox.Ports, "127.0.0.1:"+port+":"+port) {
		t.Errorf("the sandbox has port %s and publishes %v", port, sandbox.Ports)
	}
	flags := commandFlags(t, args[3:])
	hooks, _ := flags.GetStringArray("webhook-url")
	secrets, _ := flags.GetStringArray("webhook-secret")
	if len(hooks) != 1 || len(secrets) != 1 {
		t.Fatalf("webhooks are sent to %q with the secrets %q", hooks, secrets)
	}
	hook, err := url.Parse(hooks[0])
	if err != nil || c.Services[hook.Hostname()].Image == "" || !strings.Contains(string(program), `"ADDR"), ":`+hook.Port()+`"`) || !strings.Contains(string(program), `http.Handle("`+hook.Path+`"`) {
		t.Errorf("webhooks are sent to %v, %v", hook, err)
	}
	for _, name := range []string{"worker1", "worker2"} {
		worker := c.Services[name]
		if err := worker.Command.Decode(&run); err != nil || !slices.Equal(run, []string{"go", "run", "./example"}) || worker.DependsOn["postgres"].Condition != "service_healthy" {
			t.Errorf("%s runs %v, %v, after %v", name, run, err, worker.DependsOn)
		}
		for variable := range worker.Environment {
			if !strings.Contains(string(program), `"`+variable+`"`) {
				t.Errorf("%s: the program does not read %s", name, variable)
			}
		}
		database, err := url.Parse(worker.Environment["DATABASE_URL"])
		if err != nil || database.Hostname() != "postgres" || database.User.String() != "postgres:"+c.Services["postgres"].Environment["POSTGRES_PASSWORD"] {
			t.Errorf("%s: the database is %v, %v", name, database, err)
		}
		if worker.Environment["GOCARDLESS_WEBHOOK_SECRET"] != secrets[0] {
			t.Errorf("%s has another secret than the sandbox", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^#.* go run ./cmd/gcpro (.*)$`).FindAllStringSubmatch(string(source), -1) {
		commandFlags(t, strings.Fields(m[1]))
	}
}
