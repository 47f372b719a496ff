/* An engine that runs nothing: each program goes native at its first
   instruction.  For the tests of birth alone.  */

#include "engine/start.h"

void
engine_main (struct channel *c)
{
  engine_go_native (&c->birth.regs);
}
