"""One reader, measured in a process of its own; run by benchmarks/import.py, in any Python that has it.

python benchmarks/readers.py NAME FOLDER TINY warm|cold: reads TINY, then FOLDER, and prints as JSON the
seconds, the CPU seconds, the peak memory (MB above that before reading; of host or child, whichever has
more; what both share counts as far as it was looked at), and a check sum of the values. In between it waits
a second, and fills a gigabyte of memory and gives it back: a virtual machine fetches memory that nobody used
for a while page by page (0.3 to 0.5 s for a volume), which would measure the machine.
"""

import json
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

KEPT = list[Any]()
SETTLED_SECONDS = 1.0  # until what a reader starts beside itself has started
TOUCHED_BYTES = 1 << 30


def surgiplan(folder: str) -> Any:
    from surgiplan.formats import dicom

    return dicom.read(dicom.scan(Path(folder)).series[0]).volume.voxels


def simpleitk(folder: str) -> Any:
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
    KEPT.append(reader.Execute())  # a view does not keep its image
    return SimpleITK.GetArrayViewFromImage(KEPT[-1])


def pydicom_loop(folder: str) -> Any:
    import pydicom

    heads = [(pydicom.dcmread(path, stop_before_pixels=True), path) for path in Path(folder).iterdir()]
    heads.sort(key=lambda head: float(head[0].ImagePositionPatient[2]))
    first = heads[0][0]
    volume = np.empty((len(heads), first.Rows, first.Columns), np.int16)
    for k, (_, path) in enumerate(heads):
        dataset = pydicom.dcmread(path)
        volume[k] = dataset.pixel_array
        volume[k] += np.int16(dataset.RescaleIntercept)
    return volume


def vtk_dicom(folder: str) -> Any:
    import vtkdicom
    from vtkmodules.util.numpy_support import vtk_to_numpy

    directory = vtkdicom.vtkDICOMDirectory()
    directory.SetDirectoryName(folder)
    directory.RequirePixelDataOn()
    directory.Update()
    reader = vtkdicom.vtkDICOMReader()
    reader.SetFileNames(directory.GetFileNamesForSeries(0))
    reader.SetMemoryRowOrderToFileNative()
    reader.AutoRescaleOff()
    rescale = vtkdicom.vtkDICOMApplyRescale()
    rescale.SetInputConnection(reader.GetOutputPort())
    rescale.SetOutputScalarType(4)
    rescale.Update()
    scalars = rescale.GetOutput().GetPointData().GetScalars()
    return vtk_to_numpy(scalars).reshape(-1, 512, 512)


def itk(folder: str) -> Any:
    import itk

    names = itk.GDCMSeriesFileNames.New()
    names.SetDirectory(folder)
    names.SetUseSeriesDetails(True)
    files = names.GetFileNames(names.GetSeriesUIDs()[0])
    reader = itk.ImageSeriesReader[itk.Image[itk.SS, 3]].New(FileNames=files, ImageIO=itk.GDCMImageIO.New())
    reader.ForceOrthogonalDirectionOff()
    reader.Update()
    return itk.array_view_from_image(reader.GetOutput())


def highdicom(folder: str) -> Any:
    import highdicom
    import pydicom

    datasets = [pydicom.dcmread(path) for path in Path(folder).iterdir()]
    return highdicom.get_volume_from_series(datasets, dtype=np.float32).array


def scan_surgiplan(folder: str) -> int:
    from surgiplan.formats import dicom

    return sum(len(series.files) for series in dicom.scan(Path(folder)).series)


def scan_pydicom(folder: str) -> int:
    import pydicom

    heads = [pydicom.dcmread(entry.path, stop_before_pixels=True) for entry in os.scandir(folder)]
    keys = ("StudyInstanceUID", "SeriesInstanceUID", "ImagePositionPatient", "ImageOrientationPatient")
    return len([tuple(str(head.get(key)) for key in keys) for head in heads])


def scan_vtk_dicom(folder: str) -> int:
    import vtkdicom

    directory = vtkdicom.vtkDICOMDirectory()
    directory.SetDirectoryName(folder)
    directory.Update()
    return sum(
        directory.GetFileNamesForSeries(n).GetNumberOfValues() for n in range(directory.GetNumberOfSeries())
    )


def bare(folder: str) -> Any:
    """The fastest permissive decoders (imagecodecs) on both cores, without any check or parsing.

    The pixel data is found by a look for its tag; slices come in the order of their names.
    """
    import imagecodecs

    paths = sorted(Path(folder).iterdir())
    volume = np.empty((len(paths), 512, 512), np.int16)
    kind = Path(folder).name.removeprefix("tiny ")
    decoders = {
        "JPEG SV1": imagecodecs.jpeg_decode,
        "JPEG-LS": imagecodecs.jpegls_decode,
        "JPEG 2000": imagecodecs.jpeg2k_decode,
        "HTJ2K": imagecodecs.htj2k_decode,
        "RLE": lambda coded: np.frombuffer(imagecodecs.dicomrle_decode(coded, "<u2"), "<u2"),
    }

    def decode(k: int) -> None:
        data = paths[k].read_bytes()
        if kind == "deflate":
            start = 144 + int.from_bytes(data[140:144], "little")
            plain = imagecodecs.deflate_decode(data[start:], raw=True, out=volume[k].nbytes + 8192)
            stored = np.frombuffer(plain[-volume[k].nbytes :], "<u2")
        else:
            at = data.index(b"\xe0\x7f\x10\x00O") + 12
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            stored = decoders[kind](data[at + 8 : at + 8 + size])
        volume[k] = stored.reshape(512, 512)
        volume[k] -= 1024

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decode, range(len(paths))))
    return volume


def limit(folder: str) -> Any:
    """No DICOM at all: every byte of the files read, their last half megabyte into a volume."""
    paths = sorted(Path(folder).iterdir())
    volume = np.empty((len(paths), 512, 512), np.int16)
    for k, path in enumerate(paths):
        with open(path, "rb", buffering=0) as file:
            file.read(path.stat().st_size - volume[k].nbytes)
            file.readinto(volume[k].data.cast("B"))
    return volume


READERS = {
    "surgiplan": surgiplan,
    "SimpleITK": simpleitk,
    "pydicom": pydicom_loop,
    "vtk-dicom": vtk_dicom,
    "ITK": itk,
    "highdicom": highdicom,
    "limit": limit,
    "bare decoder": bare,
    "scan surgiplan": scan_surgiplan,
    "scan pydicom": scan_pydicom,
    "scan vtk-dicom": scan_vtk_dicom,
}


def evict(folder: str) -> None:
    """Make the system forget the files of a folder."""
    os.sync()
    for entry in os.scandir(folder):
        with open(entry.path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def memory_mb(pid: str, what: str) -> float:
    """VmRSS (now) or VmHWM (peak) of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return 0.0


def processes() -> list[str]:
    """This process and its children."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [str(os.getpid()), *children]


def main() -> None:
    name, folder, tiny, state = sys.argv[1:]
    read = READERS[name]
    read(tiny)
    if state == "cold":
        evict(folder)
    time.sleep(SETTLED_SECONDS)
    np.ones(TOUCHED_BYTES, np.uint8)
    everybody = processes()
    for pid in everybody:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    before = {pid: memory_mb(pid, "VmRSS") for pid in everybody}
    used = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    found = read(folder)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu": after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime,
                "mb": max(memory_mb(pid, "VmHWM") - before[pid] for pid in everybody),
                "sum": int(found if isinstance(found, int) else np.asarray(found).sum(dtype=np.float64)),
            }
        )
    )


if __name__ == "__main__":
    main()
