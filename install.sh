#!/usr/bin/env bash
# Install spinetk: into the active virtual environment or Colab's Python, else into a fresh .venv beside this file.
#   ./install.sh          to use all of it
#   ./install.sh --reader to read pictures with the released models only: no PyTorch, a tenth of the size
#   ./install.sh --dev    to test and change it
set -euo pipefail
cd "$(dirname "$0")"

fail() { echo "install.sh: $1" >&2; exit 2; }

extras="[train,export,serve]"
for argument in "$@"; do
  case "$argument" in
    --dev) extras="[dev,all]" ;;
    --reader) extras="" ;;
    -h|--help) sed -n '2,5s/^# //p' "${BASH_SOURCE[0]##*/}"; exit ;;
    *) fail "unknown option $argument (--dev and --reader are known)" ;;
  esac
done

system=$(command -v python3 || command -v python) || fail "no Python found; install Python 3.11 or newer"
"$system" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || fail "$("$system" --version) is too old; install Python 3.11 or newer"

if [ -n "${COLAB_RELEASE_TAG:-}" ] || [ -n "${VIRTUAL_ENV:-}" ]; then
  python=$system
else
  [ -x .venv/bin/python ] || "$system" -m venv .venv \
    || fail "cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
  python=.venv/bin/python
fi

# torch and torchvision that are there already (Colab) satisfy the requirements and stay as they are.
"$python" -m pip install --quiet --disable-pip-version-check -e ".$extras" \
  || fail "pip could not install what is needed, see above (torch with CUDA takes some 8 GB; free here: $(df -h . | awk 'NR == 2 {print $4}'))"

"$python" -c 'import cv2' 2>/dev/null \
  || fail "OpenCV lacks system libraries; on Debian and Ubuntu: apt-get install libgl1 libglib2.0-0"
if [ -z "$extras" ]; then
  "$python" -c 'import spinetk; print(f"spinetk {spinetk.__version__} is installed to read pictures. Next: spinetk predict FILE")'
  exit
fi
"$python" -c 'import torchvision.ops' 2>/dev/null \
  || fail "torch and torchvision do not fit together; reinstall both: $python -m pip install --force-reinstall torch torchvision"
"$python" - <<'END'
import torch, spinetk
device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
print(f"spinetk {spinetk.__version__} is installed (torch {torch.__version__}, {device}). Next: python run.py")
END
