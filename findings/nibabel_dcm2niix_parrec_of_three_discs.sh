#!/usr/bin/env bash
# PAR/REC, the export of one maker's MR scanners, of an axial series of a lumbar spine as it is usually planned: a stack of slices along each disc, tilted as the disc is. In the table of the .PAR each slice has a place and angles of its own. nibabel 5.4.2 looks
# at neither: one affine is made of the middle and the angles that the head of the file gives, those of the first stack, and all slices are laid in a row about it, evenly. Discs lie at heights where there are none, without their tilt, and a mask drawn on the sagittal
# series falls elsewhere. Nothing is said. dcm2niix 1.0.20260724 makes one stack of them as well, stretched from the first slice to the last, and says that the distance does not match the positions. Values differ, too: nibabel gives what the
# console displays (stored x rescale slope + intercept), unless scaling="fp" is asked for, dcm2niix those divided by both slopes, on one and the same file: of a T2 map, 100 ms and 500. Its log says so by three letters (RS:RI:SS).
# Seen, three stacks of three slices 4.4 mm apart about heights of 35, 0 and -35 mm, tilted by -10, 0 and 20 degrees, height of the middle of each slice: by the file 30.7 35 39.3, -4.4 0 4.4, -39.1 -35 -30.9; nibabel 17.7 to 52.3 in steps of 4.3;
# dcm2niix 4.7 to 65.3 in steps of 7.6; stored 1000, slopes 0.1 and 2: nibabel 100, "fp" 500, dcm2niix 500.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 nibabel==5.4.2 typing_extensions==4.15.0 dcm2niix==1.0.20260724
cd "$work"
cat >head.par <<'PAR'
# === DATA DESCRIPTION FILE ===
# CLINICAL TRYOUT             Research image export tool     V4.2
# === GENERAL INFORMATION ===
.    Patient name                       :   A
.    Examination name                   :   A
.    Protocol name                      :   A
.    Examination date/time              :   2020.01.01 / 12:00:00
.    Series Type                        :   Image   MRSERIES
.    Acquisition nr                     :   1
.    Reconstruction nr                  :   1
.    Scan Duration [sec]                :   8
.    Max. number of cardiac phases      :   1
.    Max. number of echoes              :   1
.    Max. number of slices/locations    :   9
.    Max. number of dynamics            :   1
.    Max. number of mixes               :   1
.    Patient position                   :   Head First Supine
.    Preparation direction              :   Anterior-Posterior
.    Technique                          :   TSE
.    Scan resolution  (x, y)            :   24  24
.    Scan mode                          :   MS
.    Repetition time [ms]               :   3000.000
.    FOV (ap,fh,rl) [mm]                :   12.000  13.200  12.000
.    Water Fat shift [pixels]           :   1.000
.    Angulation midslice(ap,fh,rl)[degr]:   0.000  0.000  -10.000
.    Off Centre midslice(ap,fh,rl) [mm] :   5.000  35.000  0.000
.    Flow compensation <0=no 1=yes> ?   :   0
.    Presaturation     <0=no 1=yes> ?   :   0
.    Phase encoding velocity [cm/sec]   :   0.000000  0.000000  0.000000
.    MTC               <0=no 1=yes> ?   :   0
.    SPIR              <0=no 1=yes> ?   :   0
.    EPI factor        <0,1=no EPI>     :   1
.    Dynamic scan      <0=no 1=yes> ?   :   0
.    Diffusion         <0=no 1=yes> ?   :   0
.    Diffusion echo time [ms]           :   0.0000
.    Max. number of diffusion values    :   1
.    Max. number of gradient orients    :   1
.    Number of label types   <0=no ASL> :   0
#
# === IMAGE INFORMATION DEFINITION =================
#  The rest of this file contains ONE line per image, this line contains the following information:
#
#  slice number                             (integer)
#  echo number                              (integer)
#  dynamic scan number                      (integer)
#  cardiac phase number                     (integer)
#  image_type_mr                            (integer)
#  scanning sequence                        (integer)
#  index in REC file (in images)            (integer)
#  image pixel size (in bits)               (integer)
#  scan percentage                          (integer)
#  recon resolution (x y)                   (2*integer)
#  rescale intercept                        (float)
#  rescale slope                            (float)
#  scale slope                              (float)
#  window center                            (integer)
#  window width                             (integer)
#  image angulation (ap,fh,rl in degrees )  (3*float)
#  image offcentre (ap,fh,rl in mm )        (3*float)
#  slice thickness (in mm )                 (float)
#  slice gap (in mm )                       (float)
#  image_display_orientation                (integer)
#  slice orientation ( TRA/SAG/COR )        (integer)
#  fmri_status_indication                   (integer)
#  image_type_ed_es  (end diast/end syst)   (integer)
#  pixel spacing (x,y) (in mm)              (2*float)
#  echo_time                                (float)
#  dyn_scan_begin_time                      (float)
#  trigger_time                             (float)
#  diffusion_b_factor                       (float)
#  number of averages                       (integer)
#  image_flip_angle (in degrees)            (float)
#  cardiac frequency   (bpm)                (integer)
#  minimum RR-interval (in ms)              (integer)
#  maximum RR-interval (in ms)              (integer)
#  TURBO factor  <0=no turbo>               (integer)
#  Inversion delay (in ms)                  (float)
#  diffusion b value number    (imagekey!)  (integer)
#  gradient orientation number (imagekey!)  (integer)
#  contrast type                            (string)
#  diffusion anisotropy type                (string)
#  diffusion (ap, fh, rl)                   (3*float)
#  label type (ASL)            (imagekey!)  (integer)
#
# === IMAGE INFORMATION ========
#  sl ec  dyn ph ty    idx pix scan% rec size                (re)scale              window        angulation              offcentre        thick   gap   info      spacing     echo     dtime   ttime    diff  avg  flip    freq   RR-int  turbo delay b grad cont anis         diffusion       L.ty
PAR
"$work/venv/bin/python" - <<'PY'
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np

rows, heights = [], []
for tilt, back, up in ((-10, 5, 35), (0, 0, 0), (20, 8, -35)):
    for step in (-4.4, 0, 4.4):
        place = back - step * np.sin(np.radians(tilt)), up + step * np.cos(np.radians(tilt)), 0
        heights.append(round(float(place[1]), 1))
        number = len(rows)
        rows.append(
            f"{number + 1} 1 1 1 0 2 {number} 16 100 24 24 0.0 0.1 2.0 500 1000 0.0 0.0 {tilt:.1f} {place[0]:.3f} {place[1]:.3f} {place[2]:.3f} "
            "4.0 0.4 0 1 0 2 0.5 0.5 100.0 0.0 0.0 0.0 1 90.0 0 0 0 20 0.0 1 1 0 0 0.0 0.0 0.0 1"
        )
Path("discs.PAR").write_text(Path("head.par").read_text() + "\n".join(rows) + "\n# === END OF DATA DESCRIPTION FILE ===\n")
np.full((9, 24, 24), 1000, "<u2").tofile("discs.REC")


def middles(image):
    return [round(float((image.affine @ [11.5, 11.5, k, 1])[2]), 1) for k in range(image.shape[2])]


subprocess.run(["venv/bin/dcm2niix", "-f", "discs", "-o", ".", "discs.PAR"], check=True, stdout=Path("log").open("w"))
mine, other = nib.load("discs.PAR"), nib.load("discs.nii")
print("by the file", heights, "nibabel", middles(mine), "dcm2niix", middles(other))
assert heights == [30.7, 35, 39.3, -4.4, 0, 4.4, -39.1, -35, -30.9]
assert middles(mine) == [17.7, 22, 26.3, 30.7, 35, 39.3, 43.7, 48, 52.3]
assert middles(other) == [4.7, 12.3, 19.8, 27.4, 35, 42.6, 50.2, 57.7, 65.3]
assert "Distance between slices" in Path("log").read_text()

values = [round(float(found.get_fdata().max())) for found in (mine, nib.load("discs.PAR", scaling="fp"), other)]
print("stored 1000: nibabel, nibabel fp, dcm2niix", values)
assert values == [100, 500, 500]
PY
