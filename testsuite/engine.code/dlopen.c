/* A library that comes and goes, at addresses that are used again by another
   with other code.  */

#include <dlfcn.h>
#include <stdio.h>

int
main (void)
{
  double sum = 0;

  for (int i = 0; i < 60; i++)
    {
      void *m = dlopen ("libm.so.6", RTLD_NOW | RTLD_LOCAL);
      void *r = dlopen ("libresolv.so.2", RTLD_NOW | RTLD_LOCAL);
      double (*f) (double);

      if (m == NULL || r == NULL)
        return 1;
      f = (double (*) (double)) dlsym (m, i & 1 ? "cbrt" : "expm1");
      sum += f (i * 0.25);
      sum += dlsym (r, "ns_get16") != NULL;
      dlclose (m);
      dlclose (r);
    }
  printf ("%.10g\n", sum);
  return 0;
}
