#!/bin/sh
# sendmail for images and machines without Node: copy it to /usr/sbin/sendmail, and link mailq and
# newaliases to it. It speaks SMTP with the server through nc; when that is down, the message goes to
# the server's drop folder, where that is mounted. Needs: sh, awk, sed, od, tr, wc, mkfifo, mktemp, and
# nc for SMTP; all of them are in BusyBox.
#
#   POSTHORN_SENDMAIL_SERVER   host:port, posthorn:2525 by default
#   POSTHORN_SENDMAIL_FOLDER   holds drop/, /var/spool/posthorn by default
#
# Exit codes are those of sysexits.h, but never 75: PHP takes it for success.

set -u
umask 077
LC_ALL=C
export LC_ALL
me=${0##*/}
place=${POSTHORN_SENDMAIL_SERVER:-posthorn:2525}
host=${place%:*}
host=${host#[[]}
host=${host%[]]}
port=${place##*:}
drop=${POSTHORN_SENDMAIL_FOLDER:-/var/spool/posthorn}/drop

fail() { # code, text
  printf '%s: %s\n' "$me" "$2" | tr -d '\r' >&2
  exit "$1"
}

netcat() {
  if command -v nc >/dev/null 2>&1; then nc "$@"; else busybox nc "$@"; fi
}

mode=send
case $me in
  mailq) mode=queue ;;
  newaliases) mode=aliases ;;
esac
for word in "$@"; do
  case $word in
    --) break ;;
    -q*) exit 0 ;;
  esac
done

from_given='' from='' name='' in_header=0 dot_ends=1 notify='' ret='' require_tls=0
while getopts ':A:B:C:F:GIL:M:N:O:R:TUV:X:ab:ce:f:gh:imno:p:r:tvx' flag; do
  case $flag in
    b)
      case $OPTARG in
        m) mode=send ;;
        s) mode=smtp ;;
        p) mode=queue ;;
        i) mode=aliases ;;
        *) fail 64 "unsupported option -b$OPTARG" ;;
      esac
      ;;
    I) mode=aliases ;;
    i) dot_ends=0 ;;
    o) case $OPTARG in i | i=true) dot_ends=0 ;; esac ;;
    t) in_header=1 ;;
    f | r) from_given=1 from=$OPTARG ;;
    F) name=$OPTARG ;;
    N) notify=$(printf '%s' "$OPTARG" | tr 'a-z' 'A-Z') ;;
    R) ret=$(printf '%s' "$OPTARG" | tr 'a-z' 'A-Z') ;;
    O) case $OPTARG in [Rr]equire[Tt][Ll][Ss]=[Nn]* | [Rr]equire[Tt][Ll][Ss]=0) ;; [Rr]equire[Tt][Ll][Ss]*) require_tls=1 ;; esac ;;
    :) fail 64 "option -$OPTARG needs a value" ;;
    \?) fail 64 "unknown option -$OPTARG" ;;
  esac
done
shift $((OPTIND - 1))
case $notify in
  *[!A-Z,]*) fail 64 "option -N takes never, or success, failure and delay with commas between: $notify" ;;
esac
case $ret in
  '' | FULL | HDRS) ;;
  *) fail 64 "option -R takes full or hdrs: $ret" ;;
esac

case $mode in
  aliases) exit 0 ;; # they are the server's
  queue) fail 69 'the queue is shown where the server runs' ;;
  smtp)
    netcat "$host" "$port" || fail 69 "no server at $place"
    exit 0
    ;;
esac
[ $in_header = 1 ] || [ $# -gt 0 ] ||
  fail 64 'no recipients: give addresses, or -t to read the header'

domain=$(hostname 2>/dev/null || cat /etc/hostname 2>/dev/null || echo localhost)
user=$(id -un 2>/dev/null || echo "uid$(id -u)")
work=$(mktemp -d 2>/dev/null) || fail 69 'no room for temporary files'
trap 'rm -rf "$work"' EXIT
trap 'exit 70' HUP INT TERM
trap '' PIPE

if [ -n "$from_given" ]; then
  from=$(printf '%s' "$from" | sed -e 's/.*<\(.*\)>.*/\1/' -e 's/[[:space:]]//g')
else
  from=$user
fi
case $from in '' | *@*) ;; *) from=$from@$domain ;; esac
author=${from:-$user@$domain}

# Reads the message: line ends become CRLF, bare names get a domain, recipients go to a file of their
# own, Bcc goes nowhere else.
for one in "$@"; do printf '%s\n' "$one"; done >"$work/operands"
NAME=$name AUTHOR=$author awk -v domain="$domain" -v dot="$dot_ends" -v header="$in_header" \
  -v operands="$work/operands" -v rcpt="$work/rcpt" '
  # Cuts a list at its commas; fills found[], returns the list with domains where they lack.
  function walk(list,    i, c, depth, quoted, part, out) {
    part = ""; out = ""; depth = 0; quoted = 0
    for (i = 1; i <= length(list); i++) {
      c = substr(list, i, 1)
      if (c == "\\") { part = part c substr(list, ++i, 1); continue }
      if (quoted) { if (c == "\"") quoted = 0 }
      else if (c == "\"" && !depth) quoted = 1
      else if (c == "(") depth++
      else if (c == ")" && depth) depth--
      else if (!depth && (c == "," || c == ";" || (c == ":" && part !~ /</))) {
        if (c != ":") part = one(part)
        out = out part c; part = ""; continue
      }
      part = part c
    }
    return out one(part)
  }
  function one(part,    bare, at) {
    bare = part
    while (gsub(/\([^()]*\)/, "", bare)) { }
    at = match(bare, /<[^<>]*>/)
    if (at) bare = substr(bare, RSTART + 1, RLENGTH - 2)
    gsub(/^[ \t\r\n]+|[ \t\r\n]+$/, "", bare)
    if (bare == "" || bare ~ /[ \t\r\n]/) return part
    if (bare !~ /@/) {
      at = index(part, bare)
      part = substr(part, 1, at + length(bare) - 1) "@" domain substr(part, at + length(bare))
      bare = bare "@" domain
    }
    found[++count] = bare
    return part
  }
  function take(    i) { for (i = 1; i <= count; i++) if (!(found[i] in seen)) { seen[found[i]] = 1; print found[i] > rcpt } }
  function flush(    colon, key) {
    if (field == "") return
    colon = index(field, ":")
    key = tolower(substr(field, 1, colon - 1))
    gsub(/[ \t]+$/, "", key)
    count = 0
    if (key ~ /^(resent-)?(from|sender|reply-to|to|cc|bcc)$/) field = substr(field, 1, colon) walk(substr(field, colon + 1))
    if (header && key ~ /^(to|cc|bcc)$/) take()
    if (key == "from") authored = 1
    if (key !~ /^(resent-)?bcc$/) head = head field "\r\n"
    field = ""
  }
  function finish() {
    flush()
    if (!authored && ENVIRON["NAME"] != "") {
      key = ENVIRON["NAME"]; gsub(/[\\"]/, "\\\\&", key)
      head = "From: \"" key "\" <" ENVIRON["AUTHOR"] ">\r\n" head
    }
    printf "%s", head
    inside = 1
  }
  BEGIN {
    while ((getline line < operands) > 0) { count = 0; walk(line); take() }
  }
  { sub(/\r+$/, "") }
  dot && $0 == "." { exit }
  inside { printf "%s\r\n", $0; next }
  NR == 1 && /^>?From [^:]*$/ { next }
  /^[ \t]/ && field != "" { field = field "\r\n" $0; next }
  /^[!-9;-~]+[ \t]*:/ { flush(); field = $0; next }
  { finish(); if ($0 != "") printf "\r\n"; printf "%s\r\n", $0 }
  END { if (!inside) { finish(); printf "\r\n" } }
' >"$work/message" || fail 70 'the message cannot be read'
[ -s "$work/rcpt" ] || fail 65 'no recipients in To, Cc or Bcc'

eight_bit=''
[ "$(tr -d '\000-\177' <"$work/message" | wc -c)" -eq 0 ] || eight_bit=' BODY=8BITMIME'
[ -z "$ret" ] || ret=" RET=$ret"
[ -z "$notify" ] || notify=" NOTIFY=$notify"
[ $require_tls = 0 ] || require_tls=' REQUIRETLS'
[ "$require_tls" != 0 ] || require_tls=''

code='' text='' why=''
hear() {
  text=''
  while IFS= read -r line <&4; do
    line=$(printf '%s' "$line" | tr -d '\r')
    text="$text$line
"
    case $line in
      [2-5][0-9][0-9]-*) ;;
      [2-5][0-9][0-9]*)
        code=${line%"${line#???}"}
        why=$line
        return 0
        ;;
      *) break ;;
    esac
  done
  code=000 why="no answer from $place"
  return 1
}
say() {
  printf '%s\r\n' "$1" >&3 2>/dev/null || { code=000 why="no answer from $place"; return 1; }
  hear
}

# Sends it; 0: taken, 1: not now, 2: refused for good.
judge() { # what it answers
  case $code in
    530 | 000 | 4*) return 1 ;;
    5*)
      at=$1
      return 2
      ;;
  esac
}
speak() {
  command -v nc >/dev/null 2>&1 || command -v busybox >/dev/null 2>&1 || { why='there is no nc'; return 1; }
  mkfifo "$work/in" "$work/out" || return 1
  netcat -w 300 "$host" "$port" <"$work/in" >"$work/out" 2>/dev/null &
  exec 3>"$work/in" 4<"$work/out"
  hear && [ "$code" = 220 ] || return 1
  say "EHLO $domain" && [ "$code" = 250 ] || return 1
  case $text in *8BITMIME*) ;; *) eight_bit='' ;; esac
  case $text in *DSN*) ;; *) ret='' notify='' ;; esac
  case $require_tls$text in *REQUIRETLS*REQUIRETLS*) ;; ' REQUIRETLS'*) why='no REQUIRETLS here'; return 1 ;; esac
  say "MAIL FROM:<$from>$eight_bit$require_tls$ret"
  judge MAIL || return
  while IFS= read -r one; do
    say "RCPT TO:<$one>$notify"
    judge RCPT || return
  done <"$work/rcpt"
  say DATA
  judge DATA || return
  [ "$code" = 354 ] || return 1
  sed 's/^\./../' "$work/message" >&3 2>/dev/null || return 1
  say .
  judge DATA || return
  printf 'QUIT\r\n' >&3 2>/dev/null
  return 0
}

speak
case $? in
  0) exit 0 ;;
  2)
    case $at:$why in
      *:5??' 5.7.'* | *:530* | *:535*) fail 77 "$why" ;;
      RCPT:5??' 5.1.'*) fail 67 "$why" ;;
      *:5??' 5.'[156].* | *:552* | *:501* | *:555*) fail 65 "$why" ;;
      RCPT:550* | RCPT:553*) fail 67 "$why" ;;
    esac
    fail 69 "$why"
    ;;
esac

# Not now: the drop folder, under a name that nobody guesses.
[ -d "$drop" ] || fail 69 "not sent: the server does not take it now ($why), and there is no drop folder"
file=$drop/$(date +%s)-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
size=$(wc -c <"$work/message" | tr -d ' ')
if {
  printf 'MAIL FROM:<%s>%s%s%s\n' "$from" "$eight_bit" "$require_tls" "$ret"
  sed -e 's/^/RCPT TO:</' -e "s/\$/>$notify/" "$work/rcpt"
  printf 'DATA %s\n' "$size"
  cat "$work/message"
} >"$work/whole" && (set -C; cat "$work/whole" >"$file.new") 2>/dev/null &&
  chmod 644 "$file.new" && { sync "$file.new" 2>/dev/null || sync; } && mv "$file.new" "$file"; then
  exit 0
fi
rm -f "$file.new"
fail 69 "not sent: the server does not take it now ($why), and $drop does not either"
