//! Browsers and version control without a name server, authorities or a proxy that answers, in namespaces without a network.

use super::harness::{Need, scenario};
use explain::cause::Confidence;

const TOOLS: &[Need] = &[
    Need::Root,
    Need::Program("ip"),
    Need::Program("openssl"),
    Need::Program("svn"),
    Need::Program("hg"),
    Need::Program("lynx"),
    Need::Program("links"),
    Need::Program("perl"),
    Need::Program("python3"),
];

/// A network namespace of its own, `$inside COMMAND`, without the caller's proxies and bundles.
const NETWORK: &str = r"
    unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY SSL_CERT_FILE SSL_CERT_DIR
    export HOME=$LAB; inside=$(enter --net); $inside ip link set lo up
";

#[test]
fn a_name_server_that_nobody_configured_is_named_whatever_the_browser_calls_it() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK} url=http://host.example/
            echo 'nameserver 127.0.0.1' >servers; cp /etc/hosts hosts; echo '127.0.0.1 host.example' >>hosts
            : >empty; mount --bind "$(realpath hosts)" /etc/hosts
            explained_in twin.lynx "$inside" lynx -dump "$url"
            explained_in twin.svn "$inside" svn --non-interactive ls "$url"
            umount /etc/hosts; mount --bind empty "$(realpath /etc/resolv.conf)"
            explained_in lynx "$inside" lynx -dump "$url"
            explained_in links "$inside" links -dump "$url"
            explained_in svn "$inside" svn --non-interactive ls "$url"
            explained_in hg "$inside" hg identify "$url""#
        ));
        for run in ["lynx", "links", "svn", "hg"] {
            let run = scene.run(run);
            let found = run.assert_names("resolver-unconfigured");
            assert_eq!(found.confidence, Confidence::Verified, "{run}");
        }
        scene.each(&["twin.lynx", "twin.svn"]).assert_does_not_name("resolver-unconfigured");
    });
}

#[test]
fn a_bundle_that_is_missing_is_named_whatever_the_program_calls_it() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK} url=https://localhost:8443/
            openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
            $inside openssl s_server -accept 8443 -key key.pem -cert cert.pem -www >served 2>&1 &
            until grep -q ACCEPT served; do sleep 0.02; done
            explained_in twin.svn "$inside" svn --non-interactive ls "$url"
            explained_in twin.links "$inside" links -dump "$url"
            mkdir none; mount --bind none /etc/ssl/certs
            explained_in svn "$inside" svn --non-interactive ls "$url"
            explained_in links "$inside" links -dump "$url"
            explained_in hg "$inside" hg identify "$url""#
        ));
        scene.each(&["svn", "links", "hg"]).assert_only(
            "ca-certificates-missing",
            "/etc/ssl/certs/ca-certificates.crt",
            Confidence::Verified,
        );
        scene.each(&["twin.svn", "twin.links"]).assert_silent();
    });
}

#[test]
fn a_proxy_that_cannot_be_is_named_by_those_who_read_the_variable() {
    scenario(TOOLS, |lab| {
        let scene = lab.play(&format!(
            r#"{NETWORK} url=http://host.example/; get='print HTTP::Tiny->new->get(shift)->{{content}}; exit 1'
            explained_in perl "$inside env http_proxy=foo://:x" perl -MHTTP::Tiny -e "$get" "$url"
            explained_in twin "$inside env http_proxy=http://127.0.0.1:3128" python3 -c 'import urllib.request; urllib.request.urlopen("foo://x")'"#
        ));
        scene.run("perl").assert_only("proxy-misconfigured", "http_proxy", Confidence::Verified);
        scene.run("twin").assert_silent();
    });
}
