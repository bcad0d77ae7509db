//! Authorities, proxies and name servers: what stands between a command and the network, in namespaces without one.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const TLS: &[Need] = &[
    Need::Root,
    Need::Program("ip"),
    Need::Program("openssl"),
    Need::Program("curl"),
    Need::Program("git"),
    Need::Program("wget"),
    Need::Program("node"),
    Need::Program("python3"),
    Need::Program("rsync"),
    Need::Program("ruby"),
];

/// A network namespace of its own, `$inside COMMAND`.
const NETWORK: &str = "inside=$(enter --net); $inside ip link set lo up\n";

/// `certify` makes a server's certificate that an authority of its own signed; `tls` serves it at `$SERVER`.
const SERVER: &str = r#"
    certify() {
        openssl req -x509 -newkey rsa:2048 -nodes -keyout authority.key -out authority.pem -days 30 -subj /CN=authority 2>/dev/null
        openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost 2>/dev/null
        printf 'subjectAltName=DNS:localhost\n' >names
        openssl x509 -req -in request.pem -CA authority.pem -CAkey authority.key -CAcreateserial -days 30 -extfile names -out cert.pem 2>/dev/null
    }
    tls() {
        $inside python3 -c 'import http.server, ssl
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True); open("serves", "w"); server.serve_forever()' 2>tls.log &
        until [ -e serves ]; do sleep 0.02; done
        SERVER=https://localhost:8443/
    }
"#;

const FETCH: &str = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])";

#[test]
fn a_bundle_of_authorities_that_is_missing_is_named_and_an_authority_of_one_s_own_is_not() {
    scenario(TLS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK}{SERVER} certify; tls; export GIT_CONFIG_NOSYSTEM=1
            explained_in twin.curl "$inside" curl -sS "$SERVER"
            explained_in twin.python "$inside" python3 -c '{FETCH}' "$SERVER"
            mkdir none; mount --bind none /etc/ssl/certs
            explained_in curl "$inside" curl -sS "$SERVER"
            explained_in git "$inside" git clone "$SERVER" x
            explained_in wget "$inside" wget -nv "$SERVER"
            explained_in python "$inside" python3 -c '{FETCH}' "$SERVER"
            explained_in node "$inside" node -e 'fetch("'"$SERVER"'").catch(error => {{ console.error(error.cause); process.exit(1) }})'
            explained_in page "$inside" curl -sSf http://localhost:1/"#
        ));
        scene.each(&["curl", "git", "wget", "python"]).assert_only(
            "ca-certificates-missing",
            "/etc/ssl/certs/ca-certificates.crt",
            Confidence::Verified,
        );
        scene.each(&["twin.curl", "twin.python", "node", "page"]).assert_does_not_name("ca-certificates-missing");
    });
}

#[test]
fn a_variable_that_points_to_no_bundle_is_named_for_the_programs_that_read_it() {
    scenario(TLS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK}{SERVER} certify; tls; export GIT_CONFIG_NOSYSTEM=1; gone=$LAB/gone.pem
            explained_in curl "$inside env CURL_CA_BUNDLE=$gone" curl -sS "$SERVER"
            explained_in git "$inside env GIT_SSL_CAINFO=$gone" git clone "$SERVER" x
            explained_in python "$inside env SSL_CERT_FILE=$gone" python3 -c '{FETCH}' "$SERVER"
            explained_in twin "$inside env GIT_SSL_CAINFO=$gone NODE_EXTRA_CA_CERTS=$gone" curl -sS "$SERVER"
            type_fix curl unset"#
        ));
        scene.each(&["curl", "git", "python"]).assert_only(
            "ca-certificates-missing",
            lab.path("gone.pem"),
            Confidence::Verified,
        );
        scene.run("twin").assert_does_not_name("ca-certificates-missing");
    });
}

#[test]
fn a_proxy_that_does_not_run_is_named_where_it_was_asked() {
    scenario(TLS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK} export GIT_CONFIG_NOSYSTEM=1; dead="env http_proxy=http://127.0.0.1:3128 https_proxy=http://127.0.0.1:3128"
            explained_in curl "$inside $dead" curl -sS http://example.org/
            explained_in git "$inside $dead" git clone https://example.org/x
            explained_in python "$inside $dead" python3 -c '{FETCH}' http://example.org/
            explained_in scheme "$inside env http_proxy=htp:/nowhere" curl -sS http://example.org/
            explained_in twin "$inside $dead no_proxy=localhost" curl -sS http://localhost:1/
            explained_in twin.file "$inside $dead" curl -sS file:///nowhere
            explained_in twin.socket "$inside $dead" python3 -c 'import socket; socket.create_connection(("127.0.0.1", 3128))'
            explained_in twin.perl "$inside $dead" perl -MIO::Socket -e 'IO::Socket::INET->new("127.0.0.1:2") or die "$!\n"'
            explained_in twin.ssh "$inside $dead" ssh -p 3128 -o BatchMode=yes 127.0.0.1 true"#
        ));
        for (run, variable) in [("curl", "http_proxy"), ("git", "https_proxy"), ("scheme", "http_proxy")] {
            scene.run(run).assert_first("proxy-misconfigured", variable, Confidence::Verified);
        }
        // It says that a connection was refused and not which.
        scene.run("python").assert_first("proxy-misconfigured", "http_proxy", Confidence::Likely);
        let twins = ["twin", "twin.file", "twin.socket", "twin.perl", "twin.ssh"];
        scene.each(&twins).assert_does_not_name("proxy-misconfigured");
    });
}

/// `answer`: a name server of this namespace that knows no name.
const NAME_SERVER: &str = r#"
    answer() {
        $inside python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53)); open("answers", "w")
while True:
    query, peer = s.recvfrom(512); s.sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12:], peer)' &
        until [ -e answers ]; do sleep 0.02; done
    }
"#;

#[test]
fn name_servers_that_cannot_answer_are_named_and_a_name_that_nobody_has_is_not() {
    scenario(TLS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK}{NAME_SERVER} export GIT_CONFIG_NOSYSTEM=1; : >resolv; mount --bind resolv /etc/resolv.conf
            lookup='import socket; socket.getaddrinfo("no-such-name.example", 80)'
            explained_in empty "$inside" curl -sS http://no-such-name.example/
            explained_in git "$inside" git clone http://no-such-name.example/x
            explained_in python "$inside" python3 -c "$lookup"
            explained_in node "$inside" node -e 'require("dns").lookup("no-such-name.example", error => {{ throw error }})'
            explained_in rsync "$inside" rsync no-such-name.example::x .
            explained_in ruby "$inside" ruby -rsocket -e 'TCPSocket.new("no-such-name.example", 80)'
            echo 'nameserver 127.0.0.53' >resolv; explained_in local "$inside" wget -nv http://no-such-name.example/
            echo 'nameserver 192.0.2.1' >resolv; explained_in unreachable "$inside" curl -sS http://no-such-name.example/
            : >resolv; answer
            explained_in twin "$inside" curl -sS http://no-such-name.example/
            explained_in twin.python "$inside" python3 -c "$lookup""#
        ));
        scene.each(&["empty", "git", "python", "node", "rsync", "ruby", "local", "unreachable"]).assert_only(
            "resolver-unconfigured",
            "/etc/resolv.conf",
            Confidence::Verified,
        );
        assert!(scene.run("unreachable").first().summary.contains("no route"), "{}", scene.run("unreachable"));
        scene.each(&["twin", "twin.python"]).assert_silent();
    });
}

#[test]
fn what_another_machine_decides_is_possible_of_a_log_and_never_claimed_of_a_run() {
    scenario(TLS, |lab| {
        let scene = lab.play(
            r#"say='remote: fatal: pack exceeds maximum allowed size'
            printf 'curl: (6) Could not resolve host: git.example\nfatal: unable to access\n' >log
            bare log "$EXPLAIN" --report "$LAB/runs/log.json" --status 128 --log log
            echo "echo '$say' >&2; exit 1" >push
            explained push sh push"#,
        );
        let log = scene.run("log");
        assert_eq!(log.assert_names("remote-side").confidence, Confidence::Possible);
        scene.run("push").assert_does_not_name("remote-side");
    });
}

/// `$apt update`: apt with directories of its own and one source, whose warnings are errors.
const PACKAGES: &str = r#"
    for name in lists/partial cache/archives/partial log; do mkdir -p "apt/$name"; done
    apt="apt-get -o Dir::Etc::sourcelist=$LAB/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$LAB/apt/lists -o Dir::Cache=$LAB/apt/cache"
    apt="timeout 60 $apt -o Dir::Log=$LAB/apt/log -o Acquire::Retries=0 -o APT::Sandbox::User=root --error-on=any"
    source() { echo "deb [trusted=yes] $1 stable main" >sources.list; }
    npm="timeout 60 npm view none --fetch-retries=0 --registry"
"#;

#[test]
fn package_managers_without_authorities_a_resolver_or_their_proxy_are_explained() {
    let programs = ["ip", "openssl", "python3", "npm", "apt-get"];
    let needs: Vec<Need> = std::iter::once(Need::Root).chain(programs.map(Need::Program)).collect();
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK}{SERVER}{NAME_SERVER}{PACKAGES} certify; tls
            source "$SERVER"; explained_in twin.authority "$inside" $apt update
            mkdir none; mount --bind none /etc/ssl/certs
            explained_in authorities "$inside" $apt update
            umount /etc/ssl/certs; : >resolv; mount --bind resolv /etc/resolv.conf; source http://none.example/
            explained_in apt.names "$inside" $apt update
            explained_in npm.names "$inside" $npm http://none.example/
            dead="env http_proxy=http://127.0.0.1:3128"
            explained_in apt.proxy "$inside $dead" $apt update
            explained_in npm.proxy "$inside $dead" $npm http://none.example/
            answer
            explained_in twin.apt "$inside" $apt update
            explained_in twin.npm "$inside" $npm http://none.example/"#
        ));
        let bundle = "/etc/ssl/certs/ca-certificates.crt";
        scene.run("authorities").assert_only("ca-certificates-missing", bundle, Confidence::Verified);
        scene.each(&["apt.names", "npm.names"]).assert_only(
            "resolver-unconfigured",
            "/etc/resolv.conf",
            Confidence::Verified,
        );
        scene.run("apt.proxy").assert_only("proxy-misconfigured", "http_proxy", Confidence::Verified);
        scene.run("npm.proxy").assert_only("proxy-misconfigured", "http_proxy", Confidence::Likely);
        scene.each(&["twin.authority", "twin.apt", "twin.npm"]).assert_silent();
    });
}
