/** The meaning of floating-point instructions. */
import { brainFloatSemantics } from './brain';
import { floatComplexSemantics } from './complex';
import { floatConversionSemantics } from './conversions';
import { floatScalarSemantics } from './scalar';
import { floatVectorSemantics } from './vector';

export const floatSemantics = {
  ...floatScalarSemantics,
  ...floatConversionSemantics,
  ...floatVectorSemantics,
  ...floatComplexSemantics,
  ...brainFloatSemantics,
};
