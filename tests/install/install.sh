#!/usr/bin/env bash
# Installs the build into an empty prefix and builds lib/example.c against it twice, as a stranger would: with
# pkg-config and with find_package. Both programs run a model on the installed, simulated device.
#   install.sh SOURCE BUILD CC MAKE_MODEL
set -euo pipefail
source=$1 build=$2 cc=$3 make_model=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" >"$work/install.log"
libdir=$(dirname "$(find "$prefix" -name libhalyard.so)")
[[ -n $libdir && -f $libdir/halyard/plugins.d/sim.yaml ]]

"$make_model" "$work/model.onnx"
printf 'devices:\n- {name: one, flops: 1e9, memory: 1MiB, bandwidth: 1e9}\n' >"$work/machine.yaml"
printf '0.5\n0.731059\n0.268941\n' >"$work/wanted"
unset HALYARD_PLUGIN_PATH
export HALYARD_SIM=$work/machine.yaml LD_LIBRARY_PATH=$libdir PKG_CONFIG_PATH=$libdir/pkgconfig

echo "with pkg-config"
# shellcheck disable=SC2046 # words
"$cc" -std=c11 -Wall -Wextra -Werror "$source/lib/example.c" -o "$work/by_pkg_config" \
  $(pkg-config --cflags --libs halyard)
"$work/by_pkg_config" "$work/model.onnx" sim:0 | diff "$work/wanted" -

echo "with find_package"
mkdir "$work/stranger"
cat >"$work/stranger/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.16)
project(stranger LANGUAGES C)
find_package(halyard 0.1 REQUIRED)
add_executable(by_find_package $source/lib/example.c)
target_link_libraries(by_find_package PRIVATE halyard::halyard)
END
cmake -G Ninja -S "$work/stranger" -B "$work/stranger/build" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix" \
  >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/stranger/build" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
"$work/stranger/build/by_find_package" "$work/model.onnx" sim:0 | diff "$work/wanted" -

echo "what a stranger sees"
if nm -D --defined-only "$libdir/libhalyard.so" | grep -E ' hy_(hal|ir|sched)__'; then
  echo "names with two underscores are private to their room"
  exit 1
fi
! nm -D --defined-only "$libdir/libhalyard.so" | grep -vE ' hy_| HALYARD_0$'

echo "the suite beside the program"
"$prefix/bin/halyard" conformance sim --level L0 --case 'abi.load.*' --out "$work/report" >"$work/suite.log" || [[ $? == 5 ]]
grep -q '4 of' "$work/suite.log" && [[ -s $work/report/report.html ]]

echo "the suite in a program of its own"
# shellcheck disable=SC2046 # words
"$cc" -std=c11 -Wall -Wextra -Werror "$source/tests/conformance/example.c" -o "$work/judge" \
  $(pkg-config --cflags --libs halyard-conformance)
"$work/judge" /etc/passwd >"$work/judge.log" || [[ $? == 4 ]]
grep -q '^NOT LOADED' "$work/judge.log"
! nm -D --defined-only "$libdir/libhalyard-conformance.so" | grep -E ' (conform__|hy_ir_|tensor_)'
