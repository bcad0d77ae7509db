//! Files that other files name: `#include`, `require`, `import`. They are looked for beside that file, in directories that the message
//! lists or the command line gives, with endings that the tool tries; and what was written on another system is there in other letters.

use crate::harness::{Need, Scene, scenario};
use explain::cause::Confidence::{Likely, Verified};

/// Each run with the path that is written in other letters.
fn assert_case(scene: &Scene, lab: impl Fn(&str) -> std::path::PathBuf, runs: &[(&str, &str)]) {
    for (run, subject) in runs {
        scene.run(run).assert_first("wrong-case", lab(subject), Verified);
    }
}

fn assert_silent(scene: &Scene, runs: &[&str]) {
    for run in runs {
        scene.run(run).assert_silent();
    }
}

#[test]
fn headers_in_other_letters_are_found_beside_the_file_and_on_the_include_path() {
    scenario(&[Need::Root, Need::Program("gcc"), Need::Program("make")], |lab| {
        let scene = lab.play(
            r#"mkdir -p src/util include/foo other/foo; touch src/util/x.h include/foo/y.h include/deep.h other/foo/z.h src/near.h
            echo '#include "Util/x.h"' >src/beside.c
            echo '#include <Foo/y.h>' >src/path.c
            echo '#include <Stdio.h>' >src/system.c
            echo '#include "Deep.h"' >include/b.h; echo '#include "b.h"' >src/nested.c
            echo '#include <Foo/z.h>' >src/elsewhere.c
            echo '#include <Near.h>' >src/angle.c
            echo '#include <openssl/nothing.h>' >src/gone.c
            printf 'all:\n\tgcc -c src/beside.c -o out.o\n' >Makefile
            explained beside gcc -c src/beside.c -o out.o
            explained path gcc -I include -c src/path.c -o out.o
            explained shell sh -c 'cd src && gcc -I../include -c path.c -o out.o'
            explained system gcc -c src/system.c -o out.o
            explained nested gcc -Iinclude -c src/nested.c -o out.o
            explained make make
            explained twin.elsewhere gcc -Iinclude -c src/elsewhere.c -o out.o
            explained twin.angle gcc -Iinclude -c src/angle.c -o out.o
            explained twin.path gcc -c src/path.c -o out.o
            explained twin.gone gcc -Iinclude -c src/gone.c -o out.o"#,
        );
        let subjects = [
            ("beside", "src/Util"),
            ("path", "include/Foo"),
            ("shell", "include/Foo"),
            ("system", "/usr/include/Stdio.h"),
            ("nested", "include/Deep.h"),
            ("make", "src/Util"),
        ];
        assert_case(&scene, |path| lab.path(path), &subjects);
        assert_silent(&scene, &["twin.elsewhere", "twin.angle", "twin.path", "twin.gone"]);
    });
}

#[test]
fn a_header_or_a_library_that_is_a_link_to_nothing_is_named() {
    scenario(&[Need::Root, Need::Program("gcc")], |lab| {
        let scene = lab.play(
            r"mkdir include lib; ln -s /nowhere/conf.h include/conf.h; ln -s libfoo.so.1 lib/libfoo.so
            touch lib/libbar.a; echo '#include <conf.h>' >a.c; echo 'int main(void) { return 0; }' >m.c
            explained header gcc -Iinclude -c a.c -o a.o
            explained library gcc m.c -o m -Llib -lfoo
            explained case gcc m.c -o m -Llib -lBar
            explained twin gcc m.c -o m -Llib -lnothing",
        );
        scene.run("header").assert_first("dangling-symlink", lab.path("include/conf.h"), Verified);
        scene.run("library").assert_first("dangling-symlink", lab.path("lib/libfoo.so"), Verified);
        scene.run("case").assert_first("wrong-case", lab.path("lib/libBar.a"), Verified);
        scene.run("twin").assert_does_not_name("dangling-symlink");
        scene.run("twin").assert_does_not_name("wrong-case");
    });
}

#[test]
fn modules_of_interpreters_in_other_letters_are_found_where_each_looks() {
    let needs = [
        Need::Root,
        Need::Program("python3"),
        Need::Program("ruby"),
        Need::Program("php"),
        Need::Program("lua5.4"),
        Need::Program("node"),
    ];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir -p app/pkg app/lib/Foo; cd app
            touch pkg/__init__.py pkg/utils.py helper.py lib/foo.rb lib/foo.php lib/foo.lua lib/foo.js; echo '1;' >lib/Foo/Bar.pm
            echo 'import pkg.Utils' >main.py; echo 'import Helper' >helper_main.py; echo 'import nosuchmodule' >gone.py
            echo "require_relative 'lib/Foo'" >main.rb; echo 'require "Foo"' >path.rb
            echo '<?php require "lib/Foo.php";' >main.php; echo '<?php require "lib/gone.php";' >gone.php
            echo 'use lib "app/lib"; use Foo::bar;' >main.pl; echo 'use No::Such;' >gone.pl
            echo 'require("lib.Foo")' >main.lua
            echo 'require("./lib/Foo")' >main.js; echo 'require("./lib/gone")' >gone.js
            cd ..
            explained python python3 app/main.py
            explained module python3 app/helper_main.py
            explained ruby ruby app/main.rb
            explained rubylib ruby -I app/lib app/path.rb
            explained php php app/main.php
            explained perl perl app/main.pl
            explained node node app/main.js
            explained lua sh -c 'cd app && lua5.4 main.lua'
            explained twin.python python3 app/gone.py
            explained twin.sibling python3 -c 'import Helper'
            explained twin.ruby ruby app/path.rb
            explained twin.php php app/gone.php
            explained twin.perl perl app/gone.pl
            explained twin.node node app/gone.js
            explained twin.lua lua5.4 app/main.lua"#,
        );
        let subjects = [
            ("python", "app/pkg/Utils.py"),
            ("module", "app/Helper.py"),
            ("ruby", "app/lib/Foo.rb"),
            ("rubylib", "app/lib/Foo.rb"),
            ("php", "app/lib/Foo.php"),
            ("perl", "app/lib/Foo/bar.pm"),
            ("node", "app/lib/Foo.js"),
        ];
        assert_case(&scene, |path| lab.path(path), &subjects);
        scene.run("lua").assert_first("wrong-case", lab.path("app/lib/Foo.lua"), Verified);
        let twins = ["python", "sibling", "ruby", "php", "perl", "node", "lua"].map(|twin| format!("twin.{twin}"));
        assert_silent(&scene, &twins.each_ref().map(String::as_str));
    });
}

#[test]
fn files_that_build_descriptions_name_are_found_beside_them() {
    let needs = [Need::Root, Need::Program("cmake"), Need::Program("make"), Need::Program("gcc")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"project() { mkdir -p "$1/cmake" "$1/src"; touch "$1/cmake/foo.cmake" "$1/src/CMakeLists.txt"; echo 'int main(void) {}' >"$1/main.c"
                printf 'cmake_minimum_required(VERSION 3.5)\nproject(x C)\n%s\n' "$2" >"$1/CMakeLists.txt"; }
            project include 'include(cmake/Foo.cmake)'; project sub 'add_subdirectory(Src)'; project source 'add_executable(x Main.c)'
            project gone 'add_executable(x gone.c)'
            mkdir mk; touch mk/foo.c; printf 'all: x.o\nx.o: Foo.c\n\tcc -c Foo.c\n' >mk/Makefile; printf 'all: gone.c\n' >mk/gone.mk
            explained include cmake -S include -B build.include
            explained sub cmake -S sub -B build.sub
            explained source cmake -B build.source source
            explained make make -C mk
            explained dash dash -c '. ./mk/FOO.c'
            explained twin.cmake cmake -S gone -B build.gone
            explained twin.make make -C mk -f gone.mk"#,
        );
        let subjects = [
            ("include", "include/cmake/Foo.cmake"),
            ("sub", "sub/Src"),
            ("source", "source/Main.c"),
            ("make", "mk/Foo.c"),
            ("dash", "mk/FOO.c"),
        ];
        assert_case(&scene, |path| lab.path(path), &subjects);
        assert_silent(&scene, &["twin.cmake", "twin.make"]);
    });
}

#[test]
fn compilers_that_read_several_files_name_them_each_in_its_way() {
    let needs =
        [Need::Root, Need::Program("go"), Need::Program("javac"), Need::Program("erlc"), Need::Program("pdflatex")];
    scenario(&needs, |lab| {
        let scene = lab.play(
            r#"mkdir -p home; export HOME="$LAB/home" GOFLAGS=-mod=mod GOPROXY=off
            mkdir -p go/utils; cd go; printf 'module demo\ngo 1.19\n' >go.mod; touch foo.txt
            printf 'package utils\nvar X int\n' >utils/u.go; printf 'package main\nimport "demo/Utils"\nfunc main() { _ = Utils.X }\n' >main.go
            printf 'package main\nimport _ "embed"\n//go:embed Foo.txt\nvar s string\nfunc main() { _ = s }\n' >e.go
            printf 'package main\nimport "demo/gone"\nfunc main() { _ = gone.X }\n' >gone.go
            explained go go build main.go
            explained embed go build e.go
            explained twin.go go build gone.go
            cd ..; mkdir java erl tex tex/figures
            echo 'public class Foo {}' >java/foo.java; echo 'public class Bar {}' >java/other.java
            explained java javac java/foo.java
            explained twin.java javac java/other.java
            printf -- '-module(a).\n-include("Foo.hrl").\n' >erl/a.erl; touch erl/foo.hrl
            explained erlang sh -c 'exec erlc erl/a.erl >&2'
            printf '\\documentclass{article}\\begin{document}\\input{Figures/b}\\end{document}' >tex/b.tex; touch tex/figures/b.tex
            printf '\\documentclass{article}\\usepackage{nosuchstyle}\\begin{document}\\end{document}' >tex/c.tex; cd tex
            explained tex sh -c 'exec pdflatex -interaction=nonstopmode b.tex >&2'
            explained twin.tex sh -c 'exec pdflatex -interaction=nonstopmode c.tex >&2'"#,
        );
        let subjects = [
            ("go", "go/Utils"),
            ("embed", "go/Foo.txt"),
            ("java", "java/Foo.java"),
            ("erlang", "erl/Foo.hrl"),
            ("tex", "tex/Figures"),
        ];
        assert_case(&scene, |path| lab.path(path), &subjects);
        assert_silent(&scene, &["twin.go", "twin.java", "twin.tex"]);
    });
}

#[test]
fn a_module_in_a_directory_that_nobody_may_enter_is_denied() {
    scenario(&[Need::Root, Need::Program("node")], |lab| {
        let scene = lab.play(
            r#"mkdir -p app/lib; touch app/lib/foo.js; echo 'require("./lib/foo")' >app/main.js; chmod 700 app/lib
            explained_as 65534 node node app/main.js"#,
        );
        scene.run("node").assert_first("permission-denied", lab.path("app/lib"), Likely);
    });
}
