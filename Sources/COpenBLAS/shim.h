#pragma once
#include <cblas.h>

/// LAPACK's eigenvalues and eigenvectors of a symmetric matrix, which OpenBLAS carries and its headers do not declare.
void dsyev_(
    const char *job, const char *triangle, const int *order, double *matrix, const int *stride, double *eigenvalues,
    double *work, const int *work_size, int *info);
