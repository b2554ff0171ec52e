#!/usr/bin/env bash
# Lays out what is in an image: files, certificate authorities, two users, /tmp. Usage: root.sh FOLDER FILE[:DEST]…
set -euo pipefail

root=$1
shift
install -d -m 755 "$root" "$root/etc" "$root/etc/ssl" "$root/etc/ssl/certs"
install -d -m 1777 "$root/tmp"
if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
  install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
fi
printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
chmod 644 "$root/etc/passwd" "$root/etc/group"

for item; do
  source=${item%%:*} target=/$(basename "${item%%:*}")
  [[ $item != *:* ]] || target=${item#*:}
  [[ $target == /* ]] || { echo "destination must be absolute: $target" >&2 && exit 64; }
  [[ -e $source ]] || { echo "no such file: $source" >&2 && exit 66; }
  (umask 022 && mkdir -p "$root$(dirname "$target")")
  if [[ -d $source ]]; then
    cp -r --no-preserve=all "$source" "$root$target"
    chmod -R u=rwX,go=rX "$root$target"
  else
    install -m "$([[ -x $source ]] && echo 755 || echo 644)" "$source" "$root$target"
  fi
done
chown -R 0:0 "$root" 2>/dev/null || true
