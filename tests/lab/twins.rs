//! Tools that fail for an ordinary reason while the same kind of fault is on the machine, elsewhere or beside what they were to do: it is
//! there, a message may even have its name in it, and it is not why. Each is the twin of what other files of the lab find.

use crate::harness::{Need, scenario};

#[test]
fn a_link_to_nothing_beside_a_file_that_cannot_be_read_is_not_blamed() {
    let needs = [Need::Root, Need::Program("sqlite3"), Need::Program("jq"), Need::Program("make")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir conf; echo '{ some text' >conf/app.json; ln -s gone conf/link; ln -s gone.mk rules.mk; echo 'all:; false' >Makefile
            explained jq jq .x conf/app.json
            explained perl perl -e 'open F, shift or die "cannot read: $!\n"' none
            explained sqlite sqlite3 good.db 'select * from link'
            explained make make
            explained without make -f none.mk
            explained link ls -l conf/link conf/nothing"#,
        );
        scene.each(&["jq", "perl", "sqlite", "make", "without", "link"]).assert_silent();
    });
}

#[test]
fn a_name_in_other_case_beside_one_that_nobody_has_is_not_blamed() {
    let needs = [Need::Root, Need::Program("sqlite3"), Need::Program("ninja"), Need::Program("unzip")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir Data src; echo '{}' >Data/config.json; echo '{}' >src/Main.json
            explained sqlite sqlite3 Data/x.db 'select * from data'
            explained perl perl -e 'open F, shift or die "cannot read: $!\n"' src/none
            explained ninja ninja -C Data
            explained unzip unzip -q Data/config.json
            explained cd sh -c 'cd src && false'"#,
        );
        scene.each(&["sqlite", "perl", "ninja", "unzip", "cd"]).assert_does_not_name("wrong-case");
    });
}

#[test]
fn a_directory_beside_a_file_that_cannot_be_made_is_not_blamed() {
    scenario(&[Need::Root, Need::Program("gs"), Need::Program("openssl")], |lab| {
        let scene = lab.play(
            r#"mkdir d; echo text >key; printf '#!/bin/sh\nexit 7\n' >tool; chmod +x tool
            explained gs gs -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=none/x.pdf d
            explained openssl openssl rsa -in key -noout
            explained perl perl -e 'open F, ">", "none/x" or die "cannot save: $!\n"' d
            explained tool ./tool d
            explained cp cp d copy"#,
        );
        scene.each(&["gs", "openssl", "perl", "tool", "cp"]).assert_does_not_name("is-a-directory");
    });
}

#[test]
fn too_long_a_word_of_a_command_that_fails_otherwise_is_not_blamed() {
    scenario(&[Need::Root, Need::Program("sqlite3"), Need::Program("jq"), Need::Program("gs")], |lab| {
        let scene = lab.play(
            r#"long=$(head -c 300 /dev/zero | tr '\0' x); echo '{ some text' >a.json
            explained sqlite sqlite3 good.db "select $long"
            explained jq jq ".$long" a.json
            explained gs gs -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=none/x.pdf -c "($long) pop"
            explained perl perl -e 'die "no such word\n"' "$long""#,
        );
        scene.each(&["sqlite", "jq", "gs", "perl"]).assert_does_not_name("name-too-long");
    });
}

/// Whoever names what he works on from the root of the tree needs no working directory, and one that was removed for another is none's.
#[test]
fn a_working_directory_that_is_gone_is_not_blamed_for_what_lies_elsewhere() {
    let needs = [Need::Root, Need::Program("sqlite3"), Need::Program("git"), Need::Program("unzip")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"echo text >file; mkdir live gone
            cd gone; rmdir "$LAB/gone"
            explained git git clone -q "$LAB/none" "$LAB/copy"
            explained unzip unzip -q "$LAB/file"
            explained gzip gzip -t "$LAB/file"
            cd "$LAB/live"
            explained sqlite sqlite3 x.db 'select * from nothing'
            explained ninja ninja
            explained perl perl -e 'open F, shift or die "cannot read: $!\n"' none"#,
        );
        let runs = ["git", "unzip", "gzip", "sqlite", "ninja", "perl"];
        scene.each(&runs).assert_does_not_name("deleted-working-directory");
    });
}

#[test]
fn a_mount_beside_a_name_that_is_missing_is_not_in_the_way() {
    let needs = [Need::Root, Need::Program("ruby"), Need::Program("php"), Need::Filesystem("ext4")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir d plain; mount -t tmpfs tmpfs d; touch plain/x
            loop_mount ext4 16M "$LAB/disk"; device=$(findmnt -no SOURCE disk)
            explained perl perl -e 'rmdir shift or die "cannot remove: $!\n"' plain
            explained php php -r 'rmdir("d/none") || exit(1);'
            explained ruby ruby -e 'Dir.rmdir("none")'
            explained mkfs mkfs.ext4 -q none/x.img
            explained umount umount plain
            explained list tune2fs -l plain/x
            explained resize resize2fs "$device" 8M"#,
        );
        let runs = ["perl", "php", "ruby", "mkfs", "umount", "list", "resize"];
        scene.each(&runs).assert_does_not_name("busy");
    });
}

#[test]
fn a_device_that_is_missing_is_not_blamed_for_what_needs_none() {
    let needs = [Need::Root, Need::Program("php"), Need::Program("ruby"), Need::Program("openssl")];
    scenario(&needs, |lab| {
        let scene = lab.play(&format!(
            r#"{}
            explained php php -r 'fopen("none", "r") || exit(1);'
            explained perl perl -e 'die "no clock\n"' /dev/rtc0
            explained ruby ruby -e 'File.open("/dev/null") {{ raise "no line" }}' /dev/ttyUSB0
            explained openssl openssl x509 -in /dev/null -noout
            explained mkfs mkfs.ext4 -q none/x.img
            explained copy cp /dev/null none/x"#,
            crate::devices::SMALL_DEV
        ));
        let runs = ["php", "perl", "ruby", "openssl", "mkfs", "copy"];
        scene.each(&runs).assert_does_not_name("device-missing");
    });
}

#[test]
fn a_mount_without_its_server_is_not_blamed_for_what_lies_elsewhere() {
    let needs = [Need::Root, Need::Program("bindfs"), Need::Program("sqlite3"), Need::Program("unzip")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir source mnt; echo text >source/file; bindfs -f source mnt & server=$!
            until [ -e mnt/file ]; do sleep 0.02; done; kill -9 $server; wait $server || true
            explained sqlite sqlite3 source/none/x.db 'create table t(a)'
            explained curl curl -sS "file://$LAB/source/none"
            explained perl perl -e 'opendir D, "none" or die "cannot list mnt: $!\n"'
            explained unzip unzip -q source/file
            explained said perl -e 'die "cannot list it\n"' mnt
            explained script sh -c 'ls mnt >/dev/null 2>&1 || true; cat source/none'"#,
        );
        let runs = ["sqlite", "curl", "perl", "unzip", "said", "script"];
        scene.each(&runs).assert_does_not_name("fuse-disconnected");
    });
}

#[test]
fn a_mount_that_fstab_wants_is_not_blamed_for_what_lies_elsewhere() {
    let needs = [Need::Root, Need::Program("ruby"), Need::Program("rsync"), Need::Program("sqlite3")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir data other; echo "UUID=1234 $LAB/data ext4 defaults 0 2" >table; mount --bind table /etc/fstab
            explained perl perl -e 'open F, "<", "none/x" or die "cannot read: $!\n"'
            explained ruby ruby -e 'File.read("other/data/x")'
            explained rsync rsync -a other/none/ copy/
            explained said perl -e 'die "cannot read it\n"' data/set/x
            explained sqlite sqlite3 good.db 'select * from data'
            mount -t tmpfs here data; explained mounted cat data/set/x"#,
        );
        let runs = ["perl", "ruby", "rsync", "said", "sqlite", "mounted"];
        scene.each(&runs).assert_does_not_name("not-mounted");
    });
}

#[test]
fn a_path_that_is_long_is_no_socket_s_where_a_file_is_meant() {
    scenario(&[Need::Root, Need::Program("socat"), Need::Program("ruby"), Need::Program("nc")], |lab| {
        let scene = lab.play(
            r#"long="$LAB/$(printf 'd%.0s' $(seq 100))"; mkdir "$long"
            explained ruby ruby -rsocket -e 'UNIXSocket.new(ARGV[0])' "$LAB/none.sock"
            explained socat socat -u "OPEN:$long/none" -
            explained perl perl -e 'open F, shift or die "cannot read: $!\n"' "$long/none"
            explained nc nc -U "$LAB/none.sock"
            explained name touch "$long/$(printf 'n%.0s' $(seq 300))""#,
        );
        scene.each(&["ruby", "socat", "perl", "nc", "name"]).assert_does_not_name("socket-path-too-long");
    });
}
