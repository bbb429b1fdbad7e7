import type { PageTools } from './tools.ts'

/** A page: its template below `views/`, without `.ejs`, and how the view that the template places is made of facts. */
export interface Page<Facts extends object> {
  readonly template: string
  /** Chooses every word, state and button; the template only places what is in it. */
  view(facts: Facts, tools: PageTools): object
}

/**
 * Names a template and the type of its view, beside that type: `const customerPage = page<CustomerView>('customers/customer')`.
 * Where words are chosen, a function makes the view of facts: `page('customers/customer', customerView)`. A forgotten
 * value is a compile error. Each template is named once; a test holds it.
 */
export function page<View extends object>(template: string): Page<View>
export function page<Facts extends object, View extends object>(
  template: string,
  view: (facts: Facts, tools: PageTools) => View,
): Page<Facts>
export function page(
  template: string,
  view: (facts: object, tools: PageTools) => object = (facts) => facts,
): Page<object> {
  return { template, view }
}
