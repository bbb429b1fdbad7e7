/** A page: its template below `views/`, without `.ejs`, and the type of the view that the template is given. */
export interface Page<View extends object> {
  readonly template: string
  /** Never called: it ties the type of the view to the page, so that a forgotten value is a compile error. */
  readonly takes?: (view: View) => void
}

/**
 * Names a template and the type of its view, beside that type: `const customerPage = page<CustomerView>('customers/customer')`.
 * Each template is named once; a test holds it.
 */
export const page = <View extends object>(template: string): Page<View> => ({ template })
