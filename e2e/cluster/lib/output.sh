# shellcheck shell=bash
# What a person reads. Progress goes to stderr, so that stdout stays usable in scripts.

if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*" >&2; }
step() { printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2; }
ok() { printf '%s ok%s %s\n' "$green" "$plain" "$*" >&2; }

# die WHAT REMEDY
die() {
  printf '%serror:%s %s\n' "$red" "$plain" "$1" >&2
  [[ -z ${2:-} ]] || printf '  try: %s\n' "$2" >&2
  exit 1
}

# wait_for SECONDS WHAT COMMAND…: polls until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || die "waited in vain for $what" "$(basename "$0") logs"
    sleep 0.2
  done
}
