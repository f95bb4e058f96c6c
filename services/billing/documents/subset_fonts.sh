#!/bin/sh
# Makes the fonts of documents from Debian's packages: ./subset_fonts.sh FOLDER. Needs Debian 12 and Python; nothing runs it by itself.
#
# Whole fonts of Noto without hints; of its CJK font Hangul alone. Its 30,000 Han characters are 10 MB, so kana and Han are those of
# Droid Sans Fallback (2.9 MB): one shape for Chinese and Japanese, without extension A. All together 4.9 MB.
# A font that is replaced has its package, version and sha256 in fonts/manifest.json; a test compares them.
set -eu
out=$(mkdir -p "${1:?a folder for the fonts}" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download fonts-noto-core fonts-noto-cjk fonts-droid-fallback
for package in *.deb; do dpkg -x "$package" .; done
python3 -m venv tools
tools/bin/pip install --quiet fonttools==4.60.1

subset() { # font, file, what of it, more
    font=$1 file=$2 unicodes=$3
    shift 3
    tools/bin/pyftsubset "usr/share/fonts/$font" --output-file="$out/$file" --unicodes="$unicodes" --no-hinting --layout-features='*' "$@"
}

for name in NotoSans-Regular NotoSans-Bold NotoSansArabic-Regular NotoSansArmenian-Regular NotoSansDevanagari-Regular \
    NotoSansGeorgian-Regular NotoSansHebrew-Regular NotoSansThai-Regular; do
    subset "truetype/noto/$name.ttf" "$name.ttf" '*' --glyphs='*'
done
# jamo and syllables; number 1 of the collection is the Korean face
subset opentype/noto/NotoSansCJK-Regular.ttc NotoSansCJKkr-Regular.otf 'U+3131-318E,U+AC00-D7A3' --font-number=1
# all but Latin, Thai, extension A, small forms and Deseret
subset truetype/droid/DroidSansFallbackFull.ttf DroidSansFallback.ttf \
    'U+1100-11FF,U+202A-202D,U+3000-33FF,U+4E00-9FFF,U+AC00-D7A3,U+F900-FAFF,U+FE30-FE4F,U+FF00-FFEF'
ls -l "$out"
