# shellcheck shell=bash
# One cgroup below the caller's own in each hierarchy, so that the node stays within the caller's limits and leaves nothing.

readonly cgroup_name=monstrum-node

# own_cgroups: the folder of the caller's cgroup in each mounted hierarchy, v1 and v2 alike
own_cgroups() {
  local controllers path mount
  while IFS=: read -r _ controllers path; do
    controllers=${controllers#name=}
    if [[ -z $controllers ]]; then
      mount=$(findmnt -rn -t cgroup2 -o TARGET | head -1)
    else
      mount=/sys/fs/cgroup/$controllers
    fi
    [[ -z $mount || ! -d $mount ]] || printf '%s\n' "${mount%/}${path%/}"
  done </proc/self/cgroup
}

cgroups_up() {
  local own
  own_cgroups | while read -r own; do
    mkdir -p "$own/$cgroup_name"
    # A v1 cpuset is born empty, and no process may enter it like that.
    if [[ -f $own/cpuset.cpus && -f $own/cpuset.mems && ! -f $own/cgroup.controllers ]]; then
      cat "$own/cpuset.cpus" >"$own/$cgroup_name/cpuset.cpus"
      cat "$own/cpuset.mems" >"$own/$cgroup_name/cpuset.mems"
    fi
    printf '%s\n' "$own/$cgroup_name"
  done >"$state/cgroups"
}

# cgroups_enter PID
cgroups_enter() {
  local group
  while read -r group; do
    echo "$1" >"$group/cgroup.procs"
  done <"$state/cgroups"
}

cgroups_down() {
  [[ -f $state/cgroups ]] || return 0
  local group
  while read -r group; do
    [[ ! -d $group ]] || wait_for 10 "cgroup $group to empty" remove_cgroup "$group"
  done <"$state/cgroups"
}

remove_cgroup() { find "$1" -depth -type d -exec rmdir {} + && [[ ! -d $1 ]]; }
